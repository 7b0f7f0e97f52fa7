import type { SwitchSettings } from '../config.ts';
import { parseAllow } from './allow.ts';
import { parseBoolean } from './boolean.ts';
import { duration } from './duration.ts';
import type { Form } from './form.ts';
import { wholeNumber } from './number.ts';

const FROM_ZERO = duration({ min: 0 });
const ABOVE_ZERO = duration({ min: 1 });

export function readSwitch(form: Form): SwitchSettings {
  return {
    canaryTime: form.setting('canary-time', FROM_ZERO),
    bakeTime: form.setting('bake-time', FROM_ZERO),
    readyTimeout: form.setting('ready-timeout', ABOVE_ZERO),
    drainTimeout: form.setting('drain-timeout', FROM_ZERO),
    confirmTimeout: form.setting('confirm-timeout', duration({ min: 5000 })),
    holdTimeout: form.setting('hold-timeout', ABOVE_ZERO),
    autoCommit: form.setting('auto-commit', parseBoolean),
    autoRollback: form.setting('auto-rollback', parseBoolean),
    allowDowngrade: form.setting('allow-downgrade', parseBoolean),
    rehearse: form.setting('rehearse', parseBoolean),
    keep: form.setting('keep', wholeNumber({ min: 0, max: 100 })),
    allow: form.optional('allow', parseAllow) ?? new Set(),
  };
}
