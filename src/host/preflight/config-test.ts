import type { Finding } from '../../report/result.ts';

/** What `nginx -t` of the new binary said, by the code that it comes down to (ngx_add_module, ngx_conf_handler). */
export function testFailed(lines: string[]): Finding {
  const said = lines.join(' | ').slice(0, 600);
  if (
    /is not binary compatible|: version \d+ instead of \d+|version \d+ instead of|dlopen\(\)|is already loaded/.test(
      said,
    )
  ) {
    return {
      code: 'module-signature',
      message: `the new binary cannot load a dynamic module that the configuration loads: ${said}`,
      fix: 'Build the modules with the binary: `configure-args: inherit`, with the sources of third-party ones in `add-modules`.',
    };
  }
  if (/unknown directive "/.test(said)) {
    return {
      code: 'module-lost',
      message: `the new binary is without a module that the configuration uses: ${said}`,
      fix: 'Build it with the arguments of the running one (`configure-args: inherit`), or remove the directive first.',
    };
  }
  return {
    code: 'config-test-failed',
    message: `the new binary refuses the host's configuration: ${said}`,
    fix: 'Correct the configuration, or build the binary with the modules and paths that it uses.',
  };
}
