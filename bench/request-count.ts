import type { Site } from './site.ts';

/** Notes every line that one conversation says to the helper, then lets the real sudo have it. */
const COUNTING_SUDO = `#!/bin/sh
case " $* " in
*' session '*) tee -a /tmp/said | sudo -n "$@" ;;
*) exec sudo -n "$@" ;;
esac
`;

/**
 * Counts what our program asks the helper, on the wire: \`body\` runs it with a \`sudo\` of ours. Resolves to the verbs in
 * their order, the greeting included.
 */
export async function countRequests({ host }: Site, body: (sudo: string) => Promise<void>): Promise<string[]> {
  const path = '/usr/local/bin/counting-sudo';
  await host.run(`cat >${path} <<'END'\n${COUNTING_SUDO}END\nchmod 755 ${path}; rm -f /tmp/said`);
  await body(path);
  const { stdout } = await host.run(String.raw`grep -aoE '^(nhu1|[0-9]+)	[a-z]+' /tmp/said`);
  const verbs = stdout.trim().split('\n').map((said) => (said.startsWith('nhu1') ? 'hello' : said.split('\t')[1] ?? ''));
  if (verbs.length < 3) throw new Error(`expected a whole conversation in /tmp/said, found ${verbs.join(', ')}`);
  return verbs;
}
