import type { Finding } from '../report/result.ts';

/** A family of distributions, by what `/etc/os-release` says in ID and ID_LIKE. */
type Family = 'debian' | 'rhel' | 'alpine' | 'suse';

interface Need {
  /** In what configure or the compiler printed. */
  sign: RegExp;
  what: string;
  packages: Record<Family, string>;
}

const NEEDS: Need[] = [
  {
    sign: /C compiler \S+ is not found|cc: not found|gcc: not found/,
    what: 'a C compiler',
    packages: { debian: 'gcc libc6-dev', rhel: 'gcc glibc-devel', alpine: 'gcc musl-dev', suse: 'gcc glibc-devel' },
  },
  {
    sign: /make: not found|Unable to locate executable file: make/,
    what: 'make',
    packages: { debian: 'make', rhel: 'make', alpine: 'make', suse: 'make' },
  },
  {
    sign: /requires? the PCRE library|pcre2?\.h: No such file/,
    what: 'the PCRE2 library',
    packages: { debian: 'libpcre2-dev', rhel: 'pcre2-devel', alpine: 'pcre2-dev', suse: 'pcre2-devel' },
  },
  {
    sign: /requires? the zlib library|zlib\.h: No such file/,
    what: 'the zlib library',
    packages: { debian: 'zlib1g-dev', rhel: 'zlib-devel', alpine: 'zlib-dev', suse: 'zlib-devel' },
  },
  {
    sign: /requires? the OpenSSL library|openssl\/\w+\.h: No such file/,
    what: 'the OpenSSL library',
    packages: { debian: 'libssl-dev', rhel: 'openssl-devel', alpine: 'openssl-dev', suse: 'libopenssl-devel' },
  },
  {
    sign: /requires? the libxml2\/libxslt/,
    what: 'the libxml2 and libxslt libraries',
    packages: { debian: 'libxslt1-dev', rhel: 'libxslt-devel', alpine: 'libxslt-dev', suse: 'libxslt-devel' },
  },
  {
    sign: /requires? the GD library/,
    what: 'the GD library',
    packages: { debian: 'libgd-dev', rhel: 'gd-devel', alpine: 'gd-dev', suse: 'gd-devel' },
  },
  {
    sign: /requires? the GeoIP library/,
    what: 'the GeoIP library',
    packages: { debian: 'libgeoip-dev', rhel: 'GeoIP-devel', alpine: 'geoip-dev', suse: 'libGeoIP-devel' },
  },
  {
    sign: /perl module ExtUtils::Embed is required|perl [\d.]+ or higher is required|perl\.h: No such file/,
    what: 'perl with its headers',
    packages: { debian: 'libperl-dev', rhel: 'perl-devel perl-ExtUtils-Embed', alpine: 'perl-dev', suse: 'perl' },
  },
  {
    sign: /requires? the Google perftools/,
    what: 'gperftools',
    packages: {
      debian: 'libgoogle-perftools-dev',
      rhel: 'gperftools-devel',
      alpine: 'gperftools-dev',
      suse: 'gperftools-devel',
    },
  },
  {
    sign: /libatomic_ops/,
    what: 'libatomic_ops',
    packages: {
      debian: 'libatomic-ops-dev',
      rhel: 'libatomic_ops-devel',
      alpine: 'libatomic_ops-dev',
      suse: 'libatomic_ops-devel',
    },
  },
  {
    sign: /requires the maxminddb library|maxminddb\.h: No such file|cannot find -lmaxminddb/,
    what: 'libmaxminddb',
    packages: {
      debian: 'libmaxminddb-dev',
      rhel: 'libmaxminddb-devel',
      alpine: 'libmaxminddb-dev',
      suse: 'libmaxminddb-devel',
    },
  },
  {
    sign: /requires (?:the )?Lua|(?:lua|luajit|lualib|lauxlib)\.h: No such file|cannot find -lluajit/,
    what: 'LuaJIT',
    packages: { debian: 'libluajit-5.1-dev', rhel: 'luajit-devel', alpine: 'luajit-dev', suse: 'luajit-devel' },
  },
];

const FAMILIES: [Family, name: string, sign: RegExp][] = [
  ['debian', 'Debian, Ubuntu', /debian|ubuntu/],
  ['rhel', 'RHEL, Fedora', /rhel|fedora|centos|amzn|rocky|alma/],
  ['alpine', 'Alpine', /alpine/],
  ['suse', 'SUSE', /suse|sles/],
];

export interface Failure {
  step: 'configure' | 'make';
  /** What the step printed, on both streams. */
  output: string;
  /** Text of this machine's /etc/os-release. */
  osRelease: string;
}

/** What was decisive, and what would help: the missing package under its name on each distribution, this one first. */
export function explainFailure({ step, output, osRelease }: Failure): Finding {
  const lines = decisiveLines(output);
  const need = NEEDS.find(({ sign }) => sign.test(lines.join('\n')));
  const said = lines.join(' | ').slice(0, 1500);
  if (need === undefined) {
    return { code: 'build-failed', message: `${step} failed: ${said}`, fix: adviceFor(output) };
  }
  return {
    code: 'build-dependency',
    message: `this machine has not what the arguments need: ${need.what}. ${step} said: ${said}`,
    fix: `Install it: ${packagesOf(need, osRelease)}.`,
  };
}

function packagesOf({ packages }: Need, osRelease: string): string {
  const id = /^ID(?:_LIKE)?=.*$/gm;
  const here = (osRelease.match(id) ?? []).join(' ').toLowerCase();
  const sorted = FAMILIES.toSorted(([, , a], [, , b]) => Number(b.test(here)) - Number(a.test(here)));
  return sorted.map(([family, name]) => `${packages[family]} (${name})`).join(', ');
}

function adviceFor(output: string): string {
  const invalid = /invalid option "([^"]+)"/.exec(output)?.[1];
  if (invalid !== undefined)
    return `This version of nginx does not know ${invalid} any more: \`omit-configure-args: ${invalid}\`.`;
  if (/require OpenSSL QUIC support/.test(output))
    return 'The OpenSSL of this machine cannot do QUIC: `omit-configure-args: --with-http_v3_module`.';
  if (/-Werror|\[-Werror/.test(output))
    return "A newer compiler's warning stops the build: build on the distribution of the host, or add -Wno-error to --with-cc-opt.";
  return 'The whole output is in the log above.';
}

const DECISIVE = /error[: ]|Error \d|undefined reference|No such file|not found|cannot find|requires? the /i;
const MOST_LINES = 8;

/** The last lines that tell of an error; where none does, the last ones. */
function decisiveLines(output: string): string[] {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^checking for .* not found$/.test(line));
  const telling = lines.filter((line) => DECISIVE.test(line) && !/^(?:cc|gcc|clang) -/.test(line));
  return (telling.length > 0 ? telling : lines).slice(-MOST_LINES);
}
