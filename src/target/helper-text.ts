import { readFileSync } from 'node:fs';

/** The helper's rooms, in the order in which they are put together. The door's read what others on the target can write or name. */
export const ROOMS = [
  'head',
  'records',
  'door/process',
  'door/files',
  'door/sockets',
  'door/settings',
  'door/masters',
  'door/host',
  'door/logs',
  'books',
  'effects',
  'actor',
  'guard',
  'undoing',
  'without-old',
  'modules',
  'testing',
  'committing',
  'facts',
  'verbs',
  'evidence',
  'talk',
] as const;

/** The helper for people to read. The build puts it together once: twenty small files take longer to read than a large one. */
export function helperText(): string {
  return ROOMS.map((room) => readFileSync(new URL(`sh/${room}.sh`, import.meta.url), 'utf8').trimEnd()).join('\n\n');
}
