import type { Finding } from '../../report/result.ts';

/**
 * What `nginx -t` of the new binary said, by the code that it comes down to (ngx_add_module, ngx_conf_handler). `lost`:
 * whether it lacks anything that the running one has; without that an unknown directive is nobody's.
 */
export function testFailed(lines: string[], { lost }: { lost: boolean }): Finding {
  const text = decisive(lines);
  const said = text.slice(0, 600);
  if (/is not binary compatible|version \d+ instead of|dlopen\(\)|is already loaded/.test(text)) {
    return {
      code: 'module-signature',
      message: `the new binary cannot load a dynamic module that the configuration loads: ${said}`,
      fix: 'Build the modules with the binary: `configure-args: inherit`, with the sources of third-party ones in `add-modules`.',
    };
  }
  if (
    lost &&
    /unknown directive "|parameter requires ngx_\w+_module|requires (?:SSL support|PCRE library)/.test(text)
  ) {
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

/** Warnings may come by the hundred before the one line that counts. */
function decisive(lines: string[]): string {
  const spoken = lines.filter((line) => line.trim() !== '');
  const serious = spoken.filter((line) => /\[(?:emerg|alert|crit)\]/.test(line));
  return (serious.length > 0 ? serious : spoken).join(' | ') || 'it said nothing';
}
