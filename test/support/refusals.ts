import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quick, type Inputs } from './product.ts';
import { untouched } from './untouched.ts';
import type { WebHost } from './web-host.ts';

/** One thing that is wrong beforehand, made so on a real host. */
export interface RefusedCase {
  what: string;
  /** Script that makes the host so, as root. */
  host?: string;
  inputs?: Inputs;
  binary?: string;
  /** All codes that refuse, sorted. */
  codes: string[];
}

/** A test for each case: the upgrade is refused with exactly these codes, and nothing on the host is changed. */
export function testRefusals(web: WebHost, cases: readonly RefusedCase[], usual: { binary: string }): void {
  for (const { what, host, inputs, binary = usual.binary, codes } of cases) {
    test(`refuses ${what} and touches nothing`, async () => {
      if (host !== undefined) {
        web.spoil();
        await web.sh(host);
      }
      const run = () => web.product.run('upgrade', '--binary', binary, ...quick(inputs));
      const { code, report, host: result, output } = await untouched(web, run);
      assert.deepEqual([code, report.outcome, result.reason?.code], [1, 'refused', 'refused'], output);
      assert.deepEqual(result.refusals.map((refusal) => refusal.code).sort(), codes, output);
      for (const { message, fix } of result.refusals) assert.ok(message !== '' && fix !== '', output);
    });
  }
}

/** A script that changes the configuration; its file is then as old, or as new, as said. */
export function configured(edit: string, when: 'long ago' | 'just now'): string {
  return `${edit}\ntouch -d '${when === 'long ago' ? '2 hours ago' : '+1 minute'}' /etc/nginx/nginx.conf`;
}

/** A script that starts nginx without its unit. */
export function byHand(start: string): string {
  return `systemctl stop nginx\n${start}\nuntil [ -s /run/nginx.pid ]; do sleep 0.02; done`;
}
