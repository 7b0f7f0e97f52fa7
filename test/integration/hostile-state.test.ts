import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hostileCase } from '../hostile/case.ts';
import { judge, prepareHostile, type Stage } from '../hostile/judge.ts';
import { bootHost, noHosts } from '../support/hosts.ts';

/** The first of those that `npm run fuzz` makes without end; a seed that once found something belongs here, too. */
const SEEDS = [1, 2, 3, 4, 5, 6, 8, 10, 11, 12];

describe('whatever users of a target do around nginx', { skip: noHosts(), timeout: 300_000 }, () => {
  let stage: Stage;

  before(async () => {
    stage = await prepareHostile(await bootHost('hostile'));
  });
  after(() => stage.host.stop());

  for (const seed of SEEDS) {
    const { place, scenario, stranger } = hostileCase(seed);
    const what = `${scenario} as ${place.login} of the nginx of ${place.kind} ${stranger ? 'succeeds' : 'ends well'}`;
    test(`${what}, nothing else is touched, nothing of theirs runs as root: ${seed}`, async (t) => {
      const { story, violations } = await judge(stage, hostileCase(seed));
      t.diagnostic(story.join(', '));
      assert.deepEqual(violations, []);
    });
  }
});
