import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { noShell, SHELLS, startHelper } from '../support/helper-session.ts';
import { ownTempDir } from '../support/temp-dir.ts';

const REAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const DD = {
  "the system's dd": undefined,
  "busybox' dd": 'exec busybox dd "$@"',
  'a dd that knows no flags':
    'case "$*" in *iflag*) echo "dd: unknown operand iflag" >&2; exit 1 ;; esac\nexec /bin/dd "$@"',
};

for (const shell of SHELLS) {
  describe(`the helper is read from standard input by ${shell}`, { skip: noShell(shell) }, () => {
    for (const [name, script] of Object.entries(DD)) {
      test(`with ${name}, and not a byte of the conversation is lost`, async () => {
        await using helper = await startHelper({ shell, env: { PATH: pathWith({ dd: script }) } });
        assert.equal(helper.hello.fields['uid'], process.getuid?.());
        assert.equal((await helper.ask('nonsense')).message, 'unknown verb');
        helper.endInput();
        assert.equal(await helper.ended, 0);
        assert.equal(helper.noise(), '');
      });
    }

    test("after a login's chatter, also where that looks like a record", async () => {
      const profile = `echo 'Welcome to "web1"!'; printf '@deadbeef {"v":1,"id":0,"ok":true}\\n'; echo '@'; echo oops >&2`;
      await using helper = await startHelper({ shell, profile });
      assert.equal((await helper.ask('nonsense')).reason, 'internal');
      assert.match(helper.noise(), /Welcome to "web1"!\n@deadbeef .*\n@\n/);
    });

    test('and gives up where no helper follows', async () => {
      await using helper = await startHelper({ shell });
      helper.endInput();
      assert.equal(await helper.ended, 0);
    });

    test('and goes on after words it does not understand', async () => {
      await using helper = await startHelper({ shell });
      for (const verb of ['$(exit 3)', '`exit 3`', '*', '']) assert.equal((await helper.ask(verb)).ok, false);
      assert.equal((await helper.ask('facts')).ok, true);
    });
  });
}

/** The machine's own search path, with scripts in front. */
function pathWith(scripts: Record<string, string | undefined>): string {
  const dir = ownTempDir();
  for (const [name, text] of Object.entries(scripts)) {
    if (text !== undefined) writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  }
  return `${dir}:${REAL_PATH}`;
}
