import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { mustRun } from '../support/command.ts';
import { programThat } from '../support/helper-program.ts';
import { noShell, SHELLS } from '../support/helper-session.ts';
import { ownTempDir } from '../support/temp-dir.ts';

const PRINT_SETTINGS = `for _name in PID USER DAEMON MASTER WORKERS MUTEX LOG LOCK; do
  eval "_value=\\$C_$_name"
  [ -z "$_value" ] || printf '%s=%s\\n' "$_name" "$_value"
done`;

/** Each configuration with the settings that nginx takes from it. */
const CONFIGS: Record<string, [text: string, settings: Record<string, string>]> = {
  'plain directives': [
    'user  www-data;\nworker_processes auto;\npid /run/nginx.pid;\nevents { accept_mutex on; }\n',
    { USER: 'www-data', WORKERS: 'auto', PID: '/run/nginx.pid', MUTEX: 'on' },
  ],
  'a file without a newline at its end, many directives on a line': [
    'user a b;daemon off;master_process on;pid /p;error_log /e info;error_log /f;lock_file /l;',
    { USER: 'a b', DAEMON: 'off', MASTER: 'on', PID: '/p', LOG: '/e', LOCK: '/l' },
  ],
  'a directive over several lines': ['pid\n  /p\n  ; user\n\tu ;', { PID: '/p', USER: 'u' }],
  'Windows line ends': ['user u;\r\npid /p;\r\nevents {\r\n}\r\n', { USER: 'u', PID: '/p' }],
  'comments with quotes and braces': [
    '# don\'t { "\nuser u; # pid /no; }\n#pid /no;\npid /p#q;\n',
    { USER: 'u', PID: '/p#q' },
  ],
  'quoted words with blanks, semicolons, braces, hashes and the other quote': [
    `pid "/a b;{}#'.pid";\nuser 'u"v';`,
    { PID: `/a b;{}#'.pid`, USER: 'u"v' },
  ],
  'escaped quotes within quotes': [String.raw`pid "/a\"b\\c";user 'd\'e';`, { PID: '/a"b\\c', USER: "d'e" }],
  'a quoted text over lines': [`http { log_format a 'x\n}\n'\n'{"y":"$z"}'; }\npid /p;`, { PID: '/p' }],
  'variables in braces': ['env A=${B}x;env ${C};pid /p;', { PID: '/p' }],
  'braces in quoted regular expressions and bodies': [
    `http { server { location ~ "^/\\d{2}$" { return 200 "}{"; } if ($a ~ '}') { set $b "\${c}}"; } } }\npid /p;`,
    { PID: '/p' },
  ],
  'a closing brace within a word': ['http { server { return 200 a}b; } }\npid /p;', { PID: '/p' }],
  'the same names inside of blocks': [
    'events { pid /no; }\nhttp { user no; error_log /no; server { pid /no; } }\nstream { accept_mutex on; }\npid /p;',
    { PID: '/p' },
  ],
  'names that only begin alike': ['pids /no;users no;user_agent no;pid /p;', { PID: '/p' }],
  'an empty word': [`user "";pid '';error_log /e;`, { LOG: '/e' }],
  'single quotes, a dollar sign and a backtick that a shell would take': [
    String.raw`pid "/$(touch x)/` + '`id`' + String.raw`/$HOME";`,
    { PID: '/$(touch x)/`id`/$HOME' },
  ],
};

/** Titles with their argv[0], -c, -p, -e and -g. */
const TITLES: Record<string, [argv0: string, c: string, p: string, e: string, g: string]> = {
  'nginx: master process nginx': ['nginx', '', '', '', ''],
  'nginx: master process /usr/sbin/nginx -c /etc/n.conf -p /srv/ -e /e.log': [
    '/usr/sbin/nginx',
    '/etc/n.conf',
    '/srv/',
    '/e.log',
    '',
  ],
  'nginx: master process nginx -c/etc/n.conf -p/srv/ -estderr': ['nginx', '/etc/n.conf', '/srv/', 'stderr', ''],
  'nginx: master process nginx -g daemon on; master_process on;': [
    'nginx',
    '',
    '',
    '',
    'daemon on; master_process on;',
  ],
  'nginx: master process nginx -g pid /run/x y.pid; user nobody; -c /etc/n.conf': [
    'nginx',
    '/etc/n.conf',
    '',
    '',
    'pid /run/x y.pid; user nobody;',
  ],
  'nginx: master process nginx -c /etc/n.conf -g pid /run/*;': ['nginx', '/etc/n.conf', '', '', 'pid /run/*;'],
  'nginx: master process nginx -g daemon on; -p /srv/ -c n.conf': ['nginx', 'n.conf', '/srv/', '', 'daemon on;'],
  'nginx: ma': ['', '', '', '', ''],
};

for (const awk of ['awk', 'mawk', 'busybox awk', 'gawk', 'original-awk']) {
  const where = await pathOf(awk);
  describe(`the reader of configurations with ${awk}`, { skip: where === '' && `${awk} is not installed` }, () => {
    for (const [name, [text, settings]] of Object.entries(CONFIGS)) {
      test(`takes from ${name} what nginx takes`, async () => {
        assert.deepEqual(await settingsOf({ 'nginx.conf': text }, { awk: `${where} "$@"` }), settings);
      });
    }
  });
}

for (const shell of SHELLS) {
  describe(`the reader of includes under ${shell}`, { skip: noShell(shell) }, () => {
    test('follows nested includes with patterns, from the directory of the main file', async () => {
      const files = {
        'nginx.conf': 'include main.d/*.conf;\ninclude missing/*.conf;\nevents { include events.conf; }\n',
        'main.d/a.conf': 'user u;\ninclude main.d/deeper/[ab].inc;',
        'main.d/b.conf': 'worker_processes 3;',
        'main.d/c.txt': 'worker_processes 4;',
        'main.d/deeper/a.inc': 'pid /p;',
        'main.d/deeper/c.inc': 'pid /no;',
      };
      assert.deepEqual(await settingsOf(files, { shell }), { USER: 'u', WORKERS: '3', PID: '/p' });
    });

    test('follows an include whose path has blanks', async () => {
      const files = { 'nginx.conf': 'include "some where/*.conf";', 'some where/a b.conf': 'pid /p;' };
      assert.deepEqual(await settingsOf(files, { shell }), { PID: '/p' });
    });

    test('gathers what matters of every block, also from the files that are included there', async () => {
      const files = {
        'nginx.conf': `env SECRET=hush;load_module modules/a.so;
http { include conf.d/*.conf; access_log /a json; proxy_temp_path /t 1 2; limit_req_zone $remote_addr zone=a:1m;
  server { listen 80 reuseport; access_log /no; location / { listen 9; proxy_temp_path /no; } }
  upstream u { server 10.0.0.1; zone u 64k; } }
stream { include s.conf; }`,
        'conf.d/a.conf': 'server { listen [::]:443 ssl; include tls.conf; }',
        'conf.d/b.conf': 'server { listen [::]:443 ssl; listen unix:/run/b.sock; }',
        'tls.conf': 'ssl_certificate_key /k.pem; ssl_session_cache shared:S:1m;',
        's.conf': 'server { listen 53 udp; }',
      };
      assert.deepEqual(await directivesOf(files, shell), [
        'main env SECRET',
        'main load_module modules/a.so',
        'http access_log /a json',
        'http proxy_temp_path /t 1 2',
        'http limit_req_zone $remote_addr zone=a:1m',
        'http.server listen 80 reuseport',
        'http.upstream zone u 64k',
        'http.server listen [::]:443 ssl',
        'http.server listen unix:/run/b.sock',
        'stream.server listen 53 udp',
        'http.server ssl_certificate_key /k.pem',
        'http.server ssl_session_cache shared:S:1m',
      ]);
    });

    test('ends where a file includes itself', async () => {
      assert.deepEqual(await settingsOf({ 'nginx.conf': 'pid /p;\ninclude nginx.conf;' }, { shell }), { PID: '/p' });
    });

    for (const [title, words] of Object.entries(TITLES)) {
      test(`takes the options from "${title}"`, async () => {
        const body = `title_of() { TITLE='${title}'; }\ncommand_line 1\nprintf '%s|' "$ARGV0" "$OPT_C" "$OPT_P" "$OPT_E" "$OPT_G"`;
        assert.deepEqual(
          (await runProgram(body, shell))
            .split('|')
            .slice(0, -1)
            .map((word) => word.trim()),
          words,
        );
      });
    }
  });
}

async function settingsOf(
  files: Record<string, string>,
  { shell = 'dash', awk = '' },
): Promise<Record<string, string>> {
  const shim = awk === '' ? '' : `awk() { ${awk}; }\n`;
  const text = await runProgram(`${shim}${reading(files)}\n${PRINT_SETTINGS}`, shell);
  const lines = text.split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
}

async function directivesOf(files: Record<string, string>, shell: string): Promise<string[]> {
  const text = await runProgram(`${reading(files)}\nprintf '%s' "$DIRECTIVES"`, shell);
  return text.replaceAll('\t', ' ').split('\n').filter(Boolean);
}

/** Shell words that read these files, the main one of which is nginx.conf. */
function reading(files: Record<string, string>): string {
  const dir = ownTempDir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const reset = `C_PID='' C_USER='' C_DAEMON='' C_MASTER='' C_WORKERS='' C_MUTEX='' C_LOG='' C_LOCK='' DIRECTIVES=''`;
  return `${reset}\nconfig_of '${dir}/nginx.conf'`;
}

async function runProgram(body: string, shell: string): Promise<string> {
  const file = join(ownTempDir(), 'program.sh');
  writeFileSync(file, programThat(body));
  return mustRun([...shell.split(' '), file], { timeout: 30_000 });
}

/** Empty where there is no such program. */
async function pathOf(words: string): Promise<string> {
  const [name = '', ...rest] = words.split(' ');
  const path = await mustRun(['sh', '-c', `command -v ${name} || :`]);
  return [path.trim(), ...rest].filter(Boolean).join(' ');
}
