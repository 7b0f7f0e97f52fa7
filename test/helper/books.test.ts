import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseFacts } from '../../src/target/facts.ts';
import { type Instance, NEW, OLD, okay, processesWith, refused, startInstance } from '../support/helper-instance.ts';
import type { Helper } from '../support/helper-session.ts';
import { descendants } from '../support/processes.ts';
import { waitFor } from '../support/wait.ts';

/** What may become of the books of an upgrade under way, by accident, by another version of this, or by a hand. */
const DAMAGES: [what: string, damage: (text: string) => string][] = [
  ['are empty', () => ''],
  ['end early', (text) => text.slice(0, text.length / 2)],
  ['lack their last line', (text) => text.replace(/end\n$/, '')],
  ['lack their last newline', (text) => text.slice(0, -1)],
  ['go on after their end', (text) => `${text}bin=/usr/bin/date\n`],
  ['go on after their end without a newline', (text) => `${text}x`],
  ['lack a key', (text) => text.replace(/^winch=.*\n/m, '')],
  ['hold a key twice', (text) => text.replace(/^(bin=.*\n)/m, '$1bin=/usr/bin/date\n')],
  ['hold a key that nobody knows', (text) => text.replace(/^bin=/m, 'work=/srv/w\nbin=')],
  ['hold two keys in each other’s place', (text) => text.replace(/^(winch=.*\n)(quit=.*\n)/m, '$2$1')],
  ['hold a line that is none', (text) => text.replace(/^bin=/m, '\nbin=')],
  ['hold a phase that there is not', (text) => text.replace(/^phase=.*$/m, 'phase=done')],
  ['hold a relative path', (text) => text.replace(/^bin=.*$/m, 'bin=../../bin/date')],
  ['hold a nonce that leads elsewhere', (text) => text.replace(/^nonce=.*$/m, 'nonce=x/../../etc')],
  ['hold a number that is none', (text) => text.replace(/^om=.*$/m, 'om=1 2')],
  // A shell that counts takes it for octal, and 08 for none: the guard ended by it, again and again.
  ['hold a number that begins with nought', (text) => text.replace(/^confirm=.*$/m, 'confirm=08')],
  ['hold a number beyond all that is counted', (text) => text.replace(/^confirm=.*$/m, `confirm=${'9'.repeat(30)}`)],
  ['hold another command to become the master', (text) => text.replace(/^as=.*$/m, 'as=/tmp/x')],
  ['hold a character that has to be written otherwise', (text) => text.replace(/^cwd=/m, 'cwd=/a|b')],
  ['hold a character that need not be written otherwise', (text) => text.replace(/^cwd=/m, 'cwd=/%41')],
  ['end every line as Windows does', (text) => text.replaceAll('\n', '\r\n')],
  ['are those of the version before this', (text) => text.replace(/^nginx-hot-upgrade 2\n/, '').replace(/end\n$/, '')],
  ['are those of a version after this', (text) => text.replace('nginx-hot-upgrade 2', 'nginx-hot-upgrade 3')],
  ['are no text', () => '\u0000\u0001\uffff'.repeat(500)],
  ['are one line without end', (text) => text.replaceAll('\n', 'x').repeat(100)],
];

const VERBS = 'prepare check rehearse begin retire look extend hold adopt commit rollback cancel unstage'.split(' ');

describe('books that cannot be read', () => {
  test('stop every verb and the guard, change nothing, and are no harm once they are as before', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    okay(await helper.ask('begin'));
    okay(await helper.ask('retire'));
    const books = join(instance.directory, 'upgrade');
    const whole = readFileSync(books, 'utf8');
    for (const [what, damage] of DAMAGES) {
      const text = damage(whole);
      assert.notEqual(text, whole, what);
      writeFileSync(books, text);
      instance.expire();
      const before = seen(instance);
      for (const verb of VERBS) {
        const { message } = refused(await askFor(instance, helper, verb), 'broken');
        assert.match(message, /^the books of an upgrade in \/.* cannot be read \(.+\): nothing was done$/, what);
      }
      const { ours } = parseFacts(okay(await helper.ask('facts', { pid_file: instance.nginx.pidFile })).fields);
      assert.deepEqual([ours.upgrade, typeof ours.broken], [null, 'string'], what);
      assert.deepEqual(seen(instance), before, `after books that ${what}`);
    }
    // The guard has looked, too, and its time was over all the while.
    const [guard = 0] = processesWith(`${instance.directory}/helper`);
    const turn = () => descendants(guard).join();
    for (const last of [turn(), '']) await waitFor('a turn of the guard', () => ![last, ''].includes(turn()));
    assert.equal(await instance.answers(), NEW);
    writeFileSync(books, whole);
    await instance.restWithin(OLD, 10_000);
    assert.match(readFileSync(join(instance.directory, 'last'), 'utf8'), /^why=guard-expired$/m);
  });

  test('do not keep a guard that starts anew from its work', async () => {
    await using instance = await startInstance();
    const helper = await instance.helper();
    await instance.stage(helper);
    okay(await helper.ask('begin'));
    const books = join(instance.directory, 'upgrade');
    const whole = readFileSync(books, 'utf8');
    writeFileSync(books, 'damaged\n');
    for (const pid of processesWith(`${instance.directory}/helper`)) process.kill(pid, 'SIGKILL');
    await helper[Symbol.asyncDispose]();
    spawn('/bin/sh', [join(instance.directory, 'helper'), 'guard', instance.directory, 'detached'], {
      stdio: 'ignore',
      detached: true,
    }).unref();
    const [guard = 0] = await waitFor('a guard', () => {
      const found = processesWith(`${instance.directory}/helper`);
      return found.length > 0 && found;
    });
    await waitFor('a turn of the guard', () => descendants(guard).length > 0);
    writeFileSync(books, whole);
    instance.expire();
    await instance.restWithin(OLD, 10_000);
  });
});

function askFor(instance: Instance, helper: Helper, verb: string): ReturnType<Helper['ask']> {
  return helper.ask(verb, { nonce: instance.nonce, ...(verb === 'cancel' && { dir: instance.directory }) });
}

/** Every process of the instance, and every file of ours but what is only read from there. */
function seen(instance: Instance): unknown {
  const files = [instance.directory, instance.nginx.dir].flatMap((dir) =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((each) => !each.name.endsWith('.log'))
      .map((each) => {
        const path = join(each.parentPath, each.name);
        const { ino, size, mtimeMs, mode } = statSync(path, { throwIfNoEntry: false }) ?? {};
        return [path, ino, each.isDirectory() ? 0 : size, each.isDirectory() ? 0 : mtimeMs, mode];
      }),
  );
  return { files, processes: instance.processes(), answers: readFileSync(join(instance.directory, 'upgrade')).length };
}
