import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summary } from '../../../src/report/summary.ts';
import { HOSTILE } from './hostile.ts';
import { held, host, lost, refused, report, unhealthy } from './typical-reports.ts';

const HEAD = `| Target | Old → new | Outcome | Longest gap | Failed probes | Old workers drained | State |
| --- | --- | --- | --- | --- | --- | --- |`;

const NOT_KEPT =
  '_What no binary upgrade can keep: idle keep-alive connections (each may be reset once), TLS session ids and tickets with keys that nginx made itself (one full handshake each; `ssl_session_ticket_key` keeps them), and shared memory zones (limits, upstream state and counters start empty)._';

const TIMELINE = 'Timeline from 2026-11-22T10:00:00.000Z: connect 60 ms → swap 42 ms → bake 10000 ms → commit 12 ms';

const OWN_TAGS = /<\/?(?:code|pre|details|summary)>/g;

describe('summary()', () => {
  it('tells of a host that was upgraded', () => {
    assert.equal(
      summary(report([host()]), { watchedMs: 10_000, reportPath: '/tmp/x/report.json' }),
      `### ✅ web1 upgraded 1.22.1 → 1.26.3: 0 of 214 probes failed, longest gap 0 ms, old workers drained

${HEAD}
| <code>web1</code> | 1.22.1 → 1.26.3 | upgraded | 0 ms | 0 of 214 | yes | idle |

${NOT_KEPT}

Full report on the runner: <code>/tmp/x/report.json</code>

${TIMELINE}
`,
    );
  });

  it('tells of a host that went back because it was unhealthy, with the evidence folded in', () => {
    assert.equal(
      summary(report([unhealthy()])),
      `### ❌ web1 rolled back to 1.22.1 (unhealthy): expected status 200-399 from http://127.0.0.1/, found 503 three times; 3 of 60 probes failed, longest gap 151 ms

${HEAD}
| <code>web1</code> | 1.22.1 | rolled back | 151 ms | 3 of 60 | – | idle |

**What to do next**

web1: The new version failed its health checks: look at the probe answers and the error log in the evidence.

Timeline from 2026-11-22T10:00:00.000Z: connect 60 ms → bake 2000 ms → rollback 30 ms

<details><summary>Evidence, taken before anything was undone</summary>

Error log:

<pre>
2026/11/22 10:00:01 [error] 901#901: *7 &lt;script&gt;alert(1)&lt;/script&gt;
</pre>

Probe answers:

<pre>
503 in 2 ms
</pre>

</details>
`,
    );
  });

  it('tells of a host that was refused, with the fix of every refusal', () => {
    assert.equal(
      summary(report([refused()])),
      `### ❌ web1 refused, nothing was touched: daemon-off, downgrade

${HEAD}
| <code>web1</code> | 1.22.1 | refused | – | – | – | idle |

**What to do next**

web1: Each refusal names its fix.

Timeline from 2026-11-22T10:00:00.000Z: connect 60 ms

**Refused**

- <code>daemon-off</code> The master runs with <code>daemon off</code>. **Fix:** Restart it once without it.
- <code>downgrade</code> 1.22.1 runs, 1.18.0 was given. **Fix:** Set <code>allow-downgrade: true</code>.
`,
    );
  });

  it('tells of a host that is held, with the exact lines that end it', () => {
    assert.equal(
      summary(report([held()], { autoCommit: false })),
      `### ✅ web1 held: 1.26.3 serves, 1.22.1 is parked beside it; 0 of 214 probes failed, longest gap 0 ms

${HEAD}
| <code>web1</code> | 1.22.1 → 1.26.3 | held | 0 ms | 0 of 214 | – | held |

**What to do next**

Keep the new version on web1, or go back. Unless committed by 2026-11-22T10:15:10.000Z, the old version takes over again. In a workflow: the same step with <code>command: commit</code> or <code>command: rollback</code>.

\`\`\`sh
nginx-hot-upgrade commit --targets deploy@web1 --known-hosts "@$HOME/.ssh/known_hosts"
nginx-hot-upgrade rollback --targets deploy@web1 --known-hosts "@$HOME/.ssh/known_hosts"
\`\`\`

${NOT_KEPT}

${TIMELINE}
`,
    );
  });

  it('tells of a host whose state is not known', () => {
    assert.equal(
      summary(report([lost({ target: 'local', port: null, user: null })])),
      `### ❌ local failed (connection-lost): expected an answer to begin, found the connection gone for 2 minutes; state unknown

${HEAD}
| <code>local</code> | 1.22.1 → ? | failed | – | – | – | unknown |

**What to do next**

local may not be at rest. A guard that was armed there goes back to the old version when it hears nothing more. Look first, then go back if need be:

\`\`\`sh
nginx-hot-upgrade status --targets local
nginx-hot-upgrade rollback --targets local
\`\`\`

local: The connection broke: look at the state first, then run the same command again.

Timeline from 2026-11-22T10:00:00.000Z: swap 60 ms
`,
    );
  });

  it('tells of a mixed fleet, the worst host first below the table', () => {
    const hosts = [host(), unhealthy({ target: 'web2' }), lost({ target: 'web3' })];
    const text = summary(report(hosts));
    const headings = text.split('\n').filter((line) => line.startsWith('#'));
    assert.deepEqual(headings, [
      '### ❌ 3 targets: 1 failed, 1 rolled back, 1 upgraded; 3 of 274 probes failed, longest gap 151 ms',
      '#### <code>web3</code>',
      '#### <code>web2</code>',
      '#### <code>web1</code>',
    ]);
    assert.match(text, /Reason: <code>unhealthy<\/code> expected status/);
  });

  it('says where nobody watched the stability of the new version', () => {
    assert.match(summary(report([host()]), { watchedMs: 0 }), /nobody watched whether they stay well/);
    assert.doesNotMatch(summary(report([host()]), { watchedMs: 1 }), /nobody watched/);
  });

  it('does not speak of lost sessions where nothing was switched', () => {
    assert.doesNotMatch(summary(report([host({ outcome: 'unchanged' })])), /What no binary upgrade can keep/);
  });

  it('writes an address with port and IPv6 so that a shell takes it', () => {
    const text = summary(report([held({ host: '2001:db8::3', port: 2222 })], { autoCommit: false }));
    assert.match(text, /commit --targets 'deploy@\[2001:db8::3\]:2222' --known-hosts/);
  });
});

describe('summary() of hostile text', () => {
  const MARKUP = [
    '<img src=x onerror=alert(1)>',
    '</pre></details><script>alert(1)</script>',
    '[click](javascript:alert(1)) ![](http://e.example/x.png)',
    '**bold** | new | cell | `code`',
    '```\n# heading\n\n| a | b |\n$\\href{x}{y}$',
    'a\n\n<details open>',
    '# heading',
    '1. item',
    '- [ ] task',
    '> quote',
    '    indented',
    '===',
  ];

  for (const text of [...MARKUP, ...Object.values(HOSTILE)]) {
    it(`shows ${JSON.stringify(text)} as nothing but characters`, () => {
      const told = { code: text, message: text, fix: text };
      const marked = unhealthy({
        target: text,
        version: text,
        warnings: [told],
        reason: { code: 'error-log', message: text },
        evidence: { errorLog: [text], probes: [text], processes: [text] },
        notes: [text],
      });
      const markdown = summary(report([marked, refused({ target: text, refusals: [told] })]), { reportPath: text });
      assert.doesNotMatch(markdown.replaceAll(OWN_TAGS, ''), /<|##\[/);
      assert.equal(count(markdown, '<pre>'), count(markdown, '</pre>'));
      assert.equal(count(markdown, '</details>'), 1);
      assert.doesNotMatch(markdown.replaceAll(/<pre>.*?<\/pre>/gs, ''), /(?<!\\)(?:\]\(|!\[)|^\s*(?:`|~~~|::)/m);
      for (const line of markdown.split('\n').filter((row) => row.startsWith('| <code>')))
        assert.equal(line.split(/(?<!\\)\|/).length, 9);
    });
  }

  it('stays below 64 kB a host and 1 MiB in all, and still closes what it opens', () => {
    const lines = Array.from({ length: 5000 }, () => '<&"'.repeat(200));
    const warnings = lines.slice(0, 100).map((text) => ({ code: 'x', message: text, fix: text }));
    const evidence = { errorLog: lines, probes: lines, processes: lines };
    const one = summary(report([unhealthy({ evidence, warnings, notes: lines })]));
    assert.ok(Buffer.byteLength(one) < 64_000 + 2000, String(Buffer.byteLength(one)));
    assert.equal(count(one, '</details>'), 1);
    const hosts = Array.from({ length: 300 }, (_, index) => unhealthy({ target: `w${index}`, evidence }));
    const all = summary(report(hosts));
    assert.ok(Buffer.byteLength(all) <= 1_048_576);
    assert.equal(count(all, '<details>'), count(all, '</details>'));
    assert.match(all, /… and \d+ more parts: the full report holds them/);
  });
});

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}
