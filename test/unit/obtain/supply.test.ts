import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fetchBytes, sha256Of } from '../../../src/obtain/fetch.ts';
import { once, openSupply, type Supply } from '../../../src/obtain/supply.ts';
import { scriptedAgent, scriptedRun } from '../host/scripted-run.ts';
import { elf } from '../inputs/support.ts';
import { forge } from './archives.ts';
import { folder, openSite, plant, refused, trustingSites, usingOwnToolCache } from './support.ts';

/** For a machine that no test runs on: it is only read. */
const PROGRAM = elf((header) => header.writeUInt16LE(243, 18));
const DIGEST = sha256Of(PROGRAM);
const { log } = scriptedRun(scriptedAgent().agent);

describe('a supply from a file', () => {
  const open = (path: string): Supply => openSupply({ kind: 'file', path }, { log });
  const program = (): string => join(plant(folder(), { 'sbin/nginx': PROGRAM }), 'sbin/nginx');

  it('gives everybody the same, read once', async () => {
    const path = program();
    const supply = open(path);
    const given = await supply.for(null);
    assert.deepEqual([given.path, given.sha256, given.bytes, given.modules], [path, DIGEST, PROGRAM, []]);
    assert.equal(await supply.for(null), given);
    assert.equal(await supply.atHand(null), given);
  });

  it('costs nothing, and can be read ahead of the first question', async () => {
    const supply = open(program());
    assert.equal(supply.costly, false);
    supply.warmUp();
    await supply.for(null);
    assert.equal(supply.latest()?.sha256, DIGEST);
  });

  it('remembers nothing before it gave something', () => {
    assert.equal(open(program()).latest(), undefined);
  });

  it('rejects at the question, not at the warming up, where there is no file', async () => {
    const supply = open(join(folder(), 'nginx'));
    supply.warmUp();
    await assert.rejects(supply.for(null), { code: 'ENOENT' });
    assert.equal(supply.latest(), undefined);
  });
});

describe('a supply from a download', () => {
  trustingSites();
  usingOwnToolCache();

  const open = (url: string, sha256: string): Supply => openSupply({ kind: 'download', url, sha256 }, { log });
  const serving =
    (bytes: Buffer | string): RequestListener =>
    (_request, response) =>
      response.end(bytes);
  const kept = (): string[] => readdirSync(process.env['RUNNER_TOOL_CACHE'] ?? '');

  it('gives a bare program to all who ask at once, with one request', async (t) => {
    const site = await openSite(t, serving(PROGRAM));
    const supply = open(`${site.url}/nginx`, DIGEST);
    const [first, second] = await Promise.all([supply.for(null), supply.for(null)]);
    assert.equal(first, second);
    assert.deepEqual([first.sha256, first.bytes, first.machine], [DIGEST, PROGRAM, 'riscv64']);
    assert.equal(supply.latest(), first);
    assert.deepEqual(site.asked, ['/nginx']);
  });

  it('gives the program of an archive, whose own digest is the one that counts', async (t) => {
    const program = '\x7fELF program';
    const archive = forge({ name: 'usr/sbin/nginx', mode: 0o755, content: program });
    const site = await openSite(t, serving(archive));
    const given = await open(site.url, sha256Of(archive)).for(null);
    assert.equal(String(given.bytes), program);
    assert.equal(given.sha256, sha256Of(Buffer.from(program)));
  });

  it('comes from the cache the second time, without a request', async (t) => {
    const site = await openSite(t, serving(PROGRAM));
    const first = await open(site.url, DIGEST).for(null);
    const second = await open(site.url, DIGEST).for(null);
    assert.deepEqual([second.bytes, second.path], [first.bytes, first.path]);
    assert.equal(site.asked.length, 1);
  });

  it('is asked again for another digest, although the address is the same', async (t) => {
    const site = await openSite(t, serving(PROGRAM));
    await open(site.url, DIGEST).for(null);
    await assert.rejects(open(site.url, 'ab'.repeat(32)).for(null), refused('digest-mismatch', /./));
    assert.equal(site.asked.length, 2);
  });

  it('is refused where the digest is another, and nothing is kept of it', async (t) => {
    const site = await openSite(t, serving('another program'));
    const supply = open(site.url, DIGEST);
    const digests = new RegExp(`${sha256Of(Buffer.from('another program'))}, expected ${DIGEST}\\.$`);
    await assert.rejects(supply.for(null), refused('digest-mismatch', digests));
    assert.equal(supply.latest(), undefined);
    assert.deepEqual(kept(), []);
  });

  for (const page of ['<!DOCTYPE html>\n<title>Not here', '\n  <html lang="en">']) {
    it(`says that it got a page: ${JSON.stringify(page)}`, async (t) => {
      const site = await openSite(t, serving(page));
      await assert.rejects(open(site.url, DIGEST).for(null), refused('digest-mismatch', /It is an HTML page/));
    });
  }

  it('is refused where the right file is no nginx, and nothing is kept of it', async (t) => {
    const site = await openSite(t, serving('#!/bin/sh'));
    const answer = open(site.url, sha256Of(Buffer.from('#!/bin/sh'))).for(null);
    await assert.rejects(answer, refused('archive-unsafe', /neither a \.tar\.gz, a \.tar\.xz nor a \.deb/));
    assert.deepEqual(kept(), []);
  });

  it('fails for all alike, with one request', async (t) => {
    const site = await openSite(t, (_request, response) => response.writeHead(404).end());
    const supply = open(site.url, DIGEST);
    await assert.rejects(supply.for(null), refused('download-failed', /the new nginx.*no such file/));
    await assert.rejects(supply.atHand(null), refused('download-failed', /no such file/));
    assert.equal(site.asked.length, 1);
  });

  it('asks for nothing before somebody asks it', async (t) => {
    const site = await openSite(t, serving(PROGRAM));
    const supply = open(`${site.url}/nginx`, DIGEST);
    supply.warmUp();
    assert.equal(supply.costly, true);
    for (const path of ['/one', '/two']) await fetchBytes(site.url + path, { what: '', limit: 1000, deadline: 5000 });
    assert.deepEqual(site.asked, ['/one', '/two']);
  });
});

describe('once', () => {
  it('makes a thing at the first call only', async () => {
    let made = 0;
    const thing = once(async () => (made += 1));
    assert.equal(made, 0);
    assert.deepEqual(await Promise.all([thing(), thing()]), [1, 1]);
    assert.equal(await thing(), 1);
  });

  it('shows a failure to everybody who waits for it', async () => {
    const failing = once(() => Promise.reject(new Error('no')));
    await assert.rejects(failing(), /no/);
    await assert.rejects(failing(), /no/);
  });

  it('does no harm by a failure for which nobody waits', async () => {
    const failing = once(() => Promise.reject(new Error('no')));
    void failing();
    await new Promise(setImmediate);
    await assert.rejects(failing(), /no/);
  });
});
