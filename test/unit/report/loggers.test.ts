import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createConsoleLogger } from '../../../src/report/console-logger.ts';
import { createMask } from '../../../src/report/mask.ts';

const mask = createMask(['hunter22']);

function recorder(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

const source = (name: string) => new URL(`../../../src/report/${name}.ts`, import.meta.url).href;

/** What `createActionLogger` prints when `body` runs in a process of its own, as a runner would read it. */
async function actionLog(body: string): Promise<string> {
  const script = `
    import { createActionLogger } from '${source('action-logger')}';
    import { createMask } from '${source('mask')}';
    const log = createActionLogger({ mask: createMask(['hunter22']) });
    ${body}`;
  const options = { timeout: 20_000, env: { PATH: process.env['PATH'] } };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options);
  return stdout;
}

describe('createConsoleLogger()', () => {
  it('tells progress on stdout and warnings on stderr, masked and harmless', () => {
    const [stdout, stderr] = [recorder(false), recorder(false)];
    const log = createConsoleLogger({ mask, stdout, stderr, env: {} });
    log.info('key hunter22\r::error::x');
    log.warning('##[group]hunter22');
    assert.deepEqual(stdout.written, ['key ***\n: :error::x\n']);
    assert.deepEqual(stderr.written, ['warning: # #[group]***\n']);
  });

  it('prints the title of a group, indents nothing and hands on what the body returns', async () => {
    const stdout = recorder(false);
    const log = createConsoleLogger({ mask, stdout, stderr: recorder(false), env: {} });
    const returned = await log.group('web1', async () => {
      log.info('inside');
      return 7;
    });
    assert.deepEqual([returned, stdout.written], [7, ['web1\n', 'inside\n']]);
  });

  it('uses colours on a terminal only, and not where NO_COLOR is set', async () => {
    const titles: string[] = [];
    for (const [isTTY, env] of [
      [true, {}],
      [true, { NO_COLOR: '1' }],
      [false, {}],
    ] as const) {
      const stdout = recorder(isTTY);
      await createConsoleLogger({ mask, stdout, stderr: recorder(isTTY), env }).group('t', async () => {});
      titles.push(...stdout.written);
    }
    assert.deepEqual(titles, ['\u001B[1mt\u001B[0m\n', 't\n', 't\n']);
  });

  it('keeps escape sequences out of a warning that goes to a file', () => {
    const [stdout, stderr] = [recorder(true), recorder(false)];
    createConsoleLogger({ mask, stdout, stderr, env: {} }).warning('x');
    assert.deepEqual(stderr.written, ['warning: x\n']);
  });
});

describe('createActionLogger()', () => {
  it('folds groups, annotates warnings, masks secrets and obeys no text', async () => {
    const log = await actionLog(`
      await log.group('web1', async () => log.info('hunter22\\r::error::x'));
      log.warning('two\\nlines ##[x] hunter22');`);
    assert.equal(log, '::group::web1\n***\n: :error::x\n::endgroup::\n::warning::two%0Alines # #[x] ***\n');
  });

  it('opens no group inside another, and closes it when the body fails', async () => {
    const log = await actionLog(`
      await log.group('fleet', () => log.group('web1', async () => { throw new Error('x'); })).catch(() => {});
      log.info('after');`);
    assert.equal(log, '::group::fleet\nweb1\n::endgroup::\nafter\n');
  });

  it('keeps a warning shorter than an annotation may be', async () => {
    const log = await actionLog(`log.warning(Array(9).fill('x'.repeat(1900)).join('\\n'));`);
    assert.ok(log.length < 4096 && log.includes('bytes left out'), String(log.length));
  });
});
