import type { Wish } from '../source/mirror.ts';
import { bad, good, type Checked } from './checked.ts';
import { suggestion } from './nearest.ts';
import { show } from './show.ts';

const BRANCHES = ['stable', 'mainline'];

/** An nginx version: `1.30.4`, `1.30` (its newest), `stable`, `mainline`; a leading `v` is taken off. */
export function parseVersion(text: string): Checked<Wish> {
  if (text === 'stable' || text === 'mainline') return good({ kind: text });
  const version = text.replace(/^v(?=[0-9])/, '');
  if (/^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,3})){1,2}$/.test(version)) {
    return good(wishOf(version), version === text ? [] : [`"${text}" is read as ${version}`]);
  }
  return bad(`expected a version such as 1.30.4 or 1.30, stable or mainline, found ${show(text)}.${hint(text)}`);
}

function wishOf(version: string): Wish {
  return version.split('.').length === 2 ? { kind: 'line', line: version } : { kind: 'exact', version };
}

function hint(text: string): string {
  if (/^[0-9.]+[-+~]/.test(text)) return ' The part after the numbers belongs to a distribution: leave it out';
  if (/(?:^|\.)0[0-9]/.test(text)) return ' Numbers have no leading zero';
  return text === 'latest'
    ? ' Say "mainline" for the newest, "stable" for the newest stable one'
    : suggestion(text, BRANCHES);
}
