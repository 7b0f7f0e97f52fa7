import type { Config, HealthSettings, Target } from '../config.ts';
import { good, type Checked } from './checked.ts';
import { duration } from './duration.ts';
import { oneOf } from './enum.ts';
import type { Form } from './form.ts';
import { parseBody } from './health-body.ts';
import { parseCertificates } from './health-ca.ts';
import { parseHeaders } from './health-headers.ts';
import { parseStatusRanges } from './health-status.ts';
import { fillHost, parseHealthUrl } from './health-url.ts';
import { wholeNumber } from './number.ts';
import { show } from './show.ts';

const ONLY_WITH_URL = ['health-body', 'health-headers', 'health-ca'] as const;

/** The probes; `none` where that was spelled out, undefined where nothing was said. */
export function readHealth(form: Form, targets: Target[]): Config['health'] {
  const url = form.optional('health-url', urlOrNone);
  const settings = readSettings(form);
  if (url === undefined || url === 'none') {
    if (!form.blamed('health-url')) warnUnused(form);
    return url;
  }
  warnAboutAddress(form, { url, from: settings.from, targets });
  return { url, ...settings };
}

function urlOrNone(text: string): Checked<string> {
  return text === 'none' ? good(text) : parseHealthUrl(text);
}

function readSettings(form: Form): Omit<HealthSettings, 'url'> {
  const body = form.optional('health-body', parseBody);
  const ca = form.optional('health-ca', parseCertificates);
  return {
    from: form.setting('health-from', oneOf(['target', 'runner', 'both'])),
    status: form.setting('health-status', parseStatusRanges),
    ...(body === undefined ? {} : { body }),
    headers: form.optional('health-headers', parseHeaders) ?? [],
    ...(ca === undefined ? {} : { ca }),
    interval: form.setting('health-interval', duration({ min: 10 })),
    timeout: form.setting('health-timeout', duration({ min: 10 })),
    successes: form.setting('health-successes', wholeNumber({ min: 1, max: 10_000 })),
    failureLimit: form.setting('failure-limit', wholeNumber({ min: 0, max: 1_000_000 })),
  };
}

function warnUnused(form: Form): void {
  for (const name of ONLY_WITH_URL) {
    if (form.given(name) !== undefined) form.warn(name, 'is not used: "health-url" names nothing to probe');
  }
}

function warnAboutAddress(form: Form, probe: { url: string; from: HealthSettings['from']; targets: Target[] }): void {
  const remote = probe.targets.filter((target) => target.kind === 'ssh');
  if (remote.length === 0 || probe.url.includes('{host}')) return;
  const host = fillHost(probe.url, '')?.hostname ?? '';
  if (isLoopback(host)) {
    if (probe.from !== 'target') form.warn('health-url', `seen from the runner, ${show(host)} is the runner itself`);
    return;
  }
  if (remote.length === 1 && remote[0]?.host === host) return;
  const why = remote.some((target) => target.host === host) ? 'is only one of the targets' : 'is none of the targets';
  form.warn('health-url', `every target is judged by ${show(host)}, which ${why}; {host} stands for the target's name`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}
