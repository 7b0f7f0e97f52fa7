import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { unpackSource } from '../../../src/obtain/archive.ts';
import { forge, link, type Member } from './archives.ts';
import { bomb, DAMAGED, HOSTILE, unsafe } from './hostile-archives.ts';
import { folder, plant } from './support.ts';

describe('unpackSource', () => {
  const unpacked = async (bytes: Buffer): Promise<string> => {
    const into = folder();
    await unpackSource({ bytes, what: 'the source' }, into);
    return into;
  };

  for (const ending of ['gz', 'xz']) {
    it(`unpacks a .tar.${ending} without its top directory`, async () => {
      const directory = plant(folder(), {
        'nginx-1.30.4/configure': '#!/bin/sh\n',
        'nginx-1.30.4/src/core/nginx.c': 'int',
      });
      const file = join(folder(), `source.tar.${ending}`);
      execFileSync('tar', ['-C', directory, '-caf', file, 'nginx-1.30.4']);
      const into = await unpacked(readFileSync(file));
      assert.deepEqual(readdirSync(into).sort(), ['configure', 'src']);
      assert.equal(readFileSync(join(into, 'src/core/nginx.c'), 'utf8'), 'int');
    });
  }

  it('keeps links that lead beside them or further down', async () => {
    const into = await unpacked(
      forge({ name: 'top/src/file', content: 'text' }, link('top/src/beside', 'file'), link('top/down', 'src/./file')),
    );
    assert.equal(readlinkSync(join(into, 'src/beside')), 'file');
    assert.equal(readFileSync(join(into, 'down'), 'utf8'), 'text');
  });

  const packed: [how: string, members: [Member, ...Member[]]][] = [
    ['with dots before its names', [{ name: './top/config' }, { name: './top/src/file' }]],
    [
      'with its directories, the one of the dot too',
      [
        { name: './', type: '5', mode: 0o755 },
        { name: './top/', type: '5', mode: 0o755 },
        { name: './top/config' },
        { name: './top/src/', type: '5', mode: 0o755 },
        { name: './top/src/file' },
      ],
    ],
    [
      'with directories that hand on their group',
      [{ name: 'top/src/', type: '5', mode: 0o2755 }, { name: 'top/src/file' }, { name: 'top/config' }],
    ],
  ];
  for (const [how, members] of packed) {
    it(`unpacks one ${how} without its top directory`, async () => {
      const into = await unpacked(forge(...members));
      assert.deepEqual(
        new Set(readdirSync(into, { recursive: true, encoding: 'utf8' })),
        new Set(['config', 'src', 'src/file']),
      );
    });
  }

  const uneven: [what: string, members: Member[]][] = [
    ['some names', [{ name: './top/config' }, { name: 'top/src/file' }]],
    ['the name of its first directory only', [{ name: './', type: '5', mode: 0o755 }, { name: 'top/config' }]],
    ['its names twice', [{ name: '././top/config' }, { name: '././top/src/file' }]],
  ];
  for (const [what, members] of uneven) {
    it(`refuses one with a dot before ${what}`, async () => {
      await assert.rejects(unpacked(forge(...members)), unsafe(/./));
    });
  }

  const named: [what: string, name: string][] = [
    ['letters of another language', 'tëst/日本語'],
    ['an arrow', 'a -> b'],
    ['blanks', 'READ ME'],
    ['a hyphen before them', '--file'],
  ];
  for (const [what, name] of named) {
    it(`keeps names with ${what}`, async () => {
      const into = await unpacked(forge({ name: `top/${name}`, content: 'text' }));
      assert.equal(readFileSync(join(into, name), 'utf8'), 'text');
    });
  }

  for (const name of ['nginx.c', './nginx.c']) {
    it(`refuses an archive of ${name} alone, which would vanish with the top directory`, async () => {
      await assert.rejects(unpacked(forge({ name })), unsafe(/the source.*one directory at its top, found a file/));
    });
  }

  it('refuses an archive with two directories at its top', async () => {
    const bytes = forge({ name: 'one/config' }, { name: 'other/config' });
    await assert.rejects(unpacked(bytes), unsafe(/the source.*one directory at its top, found 2/));
  });

  for (const [what, member, why] of HOSTILE) {
    it(`refuses ${what}, and unpacks nothing of the rest`, async () => {
      const into = folder();
      const bytes = forge({ name: 'top/config', content: 'text' }, member);
      await assert.rejects(unpackSource({ bytes, what: 'the source' }, into), unsafe(why));
      assert.deepEqual(readdirSync(into), []);
    });
  }

  for (const [what, bytes, why] of DAMAGED) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(unpacked(bytes()), unsafe(why));
    });
  }

  it('refuses what would unpack to more than fits', async () => {
    await assert.rejects(unpacked(bomb()), unsafe(/would unpack to 3221225472 bytes/));
  });

  it('does not make anybody but the present user the owner, nor take over the rights in the archive', async () => {
    const into = await unpacked(forge({ name: 'top/config', mode: 0o666, content: 'text' }));
    writeFileSync(join(into, 'reference'), '', { mode: 0o666 });
    const [config, reference] = ['config', 'reference'].map((name) =>
      execFileSync('stat', ['-c', '%a %u', join(into, name)]).toString(),
    );
    assert.equal(config, reference);
  });
});
