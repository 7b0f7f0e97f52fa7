import type { Site } from './site.ts';

/** Notes every line that a conversation says to the helper, and lets the real sudo have it. */
const COUNTING_SUDO = `#!/bin/sh
case " $* " in
*' session '*) tee -a /tmp/said | sudo -n "$@" ;;
*) exec sudo -n "$@" ;;
esac
`;

/** The first one follows the helper's text without a line of its own, the one behind an upload the binary. */
const REQUEST = String.raw`[0-9]+\t[a-z]+(?=\t[a-z_]+=|$)`;

/**
 * Counts what our program asks the helper, on the wire: `body` runs it with a `sudo` of ours. Resolves to the verbs in
 * their order. Before the first one the helper says that it is there.
 */
export async function countRequests({ host }: Site, body: (sudo: string) => Promise<void>): Promise<string[]> {
  const path = '/usr/local/bin/counting-sudo';
  await host.run(`cat >${path} <<'END'\n${COUNTING_SUDO}END\nchmod 755 ${path}; rm -f /tmp/said`);
  await body(path);
  const { stdout } = await host.run(String.raw`grep -aoP '${REQUEST}' /tmp/said | cut -f2`);
  const verbs = stdout.split('\n').filter((verb) => verb !== '');
  if (verbs.length < 3) throw new Error(`expected a whole conversation in /tmp/said, found ${verbs.join(', ')}`);
  return verbs;
}
