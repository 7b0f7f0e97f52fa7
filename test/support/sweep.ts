/** Run by `npm test` last: removes what test processes that were killed left behind. */
import { existsSync } from 'node:fs';
import { noHosts, sweepHosts } from './hosts.ts';
import { sweepTempDirs } from './temp-dir.ts';

sweepTempDirs();
if (!noHosts() && existsSync('/run/nhu-test')) await sweepHosts();
