import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { folder, plant } from './support.ts';

export type Kind = 'tar.gz' | 'tar.xz' | 'deb';

/** Packs what lies in a folder with the system's own programs, as an author would. */
export function pack(directory: string, kind: Kind): Buffer {
  const file = join(folder(), `archive.${kind}`);
  if (kind === 'deb') {
    plant(directory, {
      'DEBIAN/control': 'Package: nginx\nVersion: 1\nArchitecture: all\nMaintainer: n\nDescription: n\n',
    });
    execFileSync('dpkg-deb', ['--build', '-z0', '--root-owner-group', directory, file], { stdio: 'pipe' });
  } else {
    execFileSync('tar', ['-C', directory, '-S', '-caf', file, '.'], { env: { ...process.env, XZ_OPT: '-0' } });
  }
  return readFileSync(file);
}

/** One entry as it stands in a header (ustar); tar itself would not write most of what is tried here. */
export interface Member {
  name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` directory, `6` fifo. */
  type?: string;
  mode?: number;
  target?: string;
  content?: string;
  /** By name, which may look like anything. */
  owner?: string;
}

/** A `.tar.gz` with these entries, whatever they are. */
export function forge(...members: Member[]): Buffer {
  const blocks = members.flatMap((member) => [headerOf(member), padded(Buffer.from(member.content ?? ''))]);
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

export function link(name: string, target: string): Member {
  return { name, target, type: '2', mode: 0o777 };
}

function headerOf({ name, type = '0', mode = 0o644, target = '', content = '', owner = '' }: Member): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, { at, width }: { at: number; width: number }) =>
    header.write(value.toString(8).padStart(width, '0'), at);
  header.write(name, 0, 100);
  octal(mode, { at: 100, width: 7 });
  octal(0, { at: 108, width: 7 });
  octal(0, { at: 116, width: 7 });
  octal(Buffer.byteLength(content), { at: 124, width: 11 });
  octal(0, { at: 136, width: 11 });
  header.fill(' ', 148, 156);
  header.write(type, 156);
  header.write(target, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(owner, 265, 32);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    { at: 148, width: 6 },
  );
  header.write('\0', 154, 'latin1');
  return header;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
