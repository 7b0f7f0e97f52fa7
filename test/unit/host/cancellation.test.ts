import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { orCancelled, throwIfCancelled } from '../../../src/host/cancellation.ts';
import { Cancelled } from '../../../src/host/errors.ts';

const cancelledBy = (name: string) => (error: unknown) => error instanceof Cancelled && error.message === name;

describe('orCancelled', () => {
  it('hands on what the step ends with, and listens no longer', async () => {
    const { signal } = new AbortController();
    assert.equal(await orCancelled(signal, async () => 7), 7);
    await assert.rejects(
      orCancelled(signal, () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    );
    assert.deepEqual(getEventListeners(signal, 'abort'), []);
  });

  it('leaves a step that does not end as soon as the run is cancelled, and says by what', async () => {
    const cancel = new AbortController();
    const left = orCancelled(cancel.signal, () => Promise.withResolvers<never>().promise);
    cancel.abort('SIGTERM');
    await assert.rejects(left, cancelledBy('SIGTERM'));
  });

  it('does not begin a step where the run is cancelled already', async () => {
    let begun = false;
    const step = async (): Promise<void> => void (begun = true);
    await assert.rejects(orCancelled(AbortSignal.abort('SIGINT'), step), cancelledBy('SIGINT'));
    assert.equal(begun, false);
  });
});

describe('throwIfCancelled', () => {
  it('throws only then', () => {
    throwIfCancelled(new AbortController().signal);
    assert.throws(() => throwIfCancelled(AbortSignal.abort('SIGINT')), cancelledBy('SIGINT'));
  });
});
