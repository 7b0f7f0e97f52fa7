const require_core = require("./core.cjs");
const require_file = require("./file.cjs");
const require_errors = require("./errors.cjs");
const require_action_logger = require("./action-logger.cjs");
const require_run = require("./run.cjs");
let node_os = require("node:os");

// src/report/annotations.ts
/** GitHub shows so many errors a step. */
const MAX_ANNOTATIONS = 10;
/** GitHub cuts at 4,096 characters. */
const MESSAGE_BYTES = 4e3;
const EXPECTED = {
	connect: "to reach the target and log in",
	inspect: "to read the state of the running nginx",
	obtain: "to get a verified new binary",
	preflight: "a target that can take the new binary",
	stage: "the new binary whole and runnable on the target",
	swap: "the running master to start the new one",
	ready: "the new workers to accept connections",
	canary: "both generations to serve well together",
	retire: "the old workers to stop accepting while the new ones serve",
	bake: "the new generation to serve well alone",
	commit: "the old master to leave and the new binary to be installed",
	rollback: "the old generation to serve again",
	verify: "the target to be in the state that the run left"
};
/** One annotation for each distinct cause, not for each host, the worst first; at most 10. */
function annotations(report) {
	if (report.ok) return [];
	const all = causes(require_run.worstFirst(report.hosts), report.command);
	if (all.length <= MAX_ANNOTATIONS) return all.map(annotation);
	const shown = all.slice(0, 9);
	return [...shown.map(annotation), furtherCauses(all.slice(shown.length))];
}
function causes(hosts, command) {
	const byKey = /* @__PURE__ */ new Map();
	for (const cause of hosts.flatMap((host) => causesOf(host, command))) {
		const key = `${cause.phase} ${cause.code}`;
		const known = byKey.get(key);
		if (known === void 0) byKey.set(key, cause);
		else known.hosts.push(...cause.hosts);
	}
	return [...byKey.values()];
}
function causesOf(host, command) {
	if (command === "rollback" && host.outcome === "rolled-back") return [];
	if (host.refusals.length > 0) return host.refusals.map((refusal) => refusalCause(host, refusal));
	if (host.reason === null) return [];
	return [{
		code: host.reason.code,
		phase: failedPhase(host),
		found: require_file.clause(host.reason.message),
		hosts: [host]
	}];
}
function refusalCause(host, { code, message, fix }) {
	return {
		code,
		phase: "preflight",
		found: `${require_file.clause(message)}. Fix: ${require_file.clause(fix)}`,
		hosts: [host]
	};
}
/** The last one entered before undoing began. */
function failedPhase(host) {
	return (host.phases.filter(({ name }) => name !== "rollback" && name !== "verify").at(-1) ?? host.phases.at(-1))?.name ?? "connect";
}
function annotation({ code, phase, found, hosts }) {
	const states = [...new Set(hosts.map(leftBehind))].join("; ");
	const lines = [
		`Phase ${phase}: expected ${EXPECTED[phase]}.`,
		`Found: ${require_run.clip(found, 1500)}.`,
		`State left behind: ${require_run.clip(states, 1e3)}.`,
		`Targets: ${require_run.clip(hosts.map((host) => require_run.harmless(host.target)).join(", "), 1e3)}`
	];
	return {
		title: require_run.harmless(`nginx-hot-upgrade: ${code} in ${phase}`),
		message: require_run.clip(lines.join("\n"), MESSAGE_BYTES)
	};
}
function furtherCauses(rest) {
	const list = rest.map(({ code, phase, hosts }) => `${require_run.harmless(code)} in ${phase} (${hosts.length})`).join(", ");
	return {
		title: `nginx-hot-upgrade: ${rest.length} more causes`,
		message: require_run.clip(`More causes, with the number of targets: ${list}. The job summary has them all.`, MESSAGE_BYTES)
	};
}
function leftBehind(host) {
	const version = require_run.harmless(host.version ?? "an unknown version");
	if (host.outcome === "refused" || require_run.neverEntered(host)) return "nothing was touched";
	if (host.state === null) return "unknown; a guard armed on the target goes back to the old version by itself";
	if (host.state === "held") return `held, ${version} serves and the old master is parked`;
	return host.state === "idle" ? `at rest, ${version} serves` : `${host.state}, ${version} answers`;
}

// src/report/result.ts
const OUTCOMES = [
	"upgraded",
	"unchanged",
	"held",
	"rolled-back",
	"refused",
	"failed",
	"skipped",
	"planned",
	"built",
	"reported"
];

// src/report/shards.ts
/** GitHub starts at most so many jobs from one matrix. */
const MAX_JOBS = 256;
/** Few enough that one job stays well inside its time, one host after the other. */
const HOSTS_PER_JOB = 50;
/** Cuts the fleet, in its own order, into parts of nearly equal size. */
function shards(hosts, hostsPerJob = HOSTS_PER_JOB) {
	const jobs = Math.min(MAX_JOBS, Math.ceil(hosts.length / hostsPerJob));
	return Array.from({ length: jobs }, (_, job) => {
		const from = Math.floor(job * hosts.length / jobs);
		const to = Math.floor((job + 1) * hosts.length / jobs);
		const targets = hosts.slice(from, to).map((host) => host.target);
		return {
			name: to - from === 1 ? targets[0] ?? "" : `hosts ${from + 1}-${to}`,
			targets: targets.join(",")
		};
	});
}

// src/report/outputs.ts
/** In the contract's order (section 4). */
const OUTPUT_NAMES = [
	"outcome",
	"version",
	"previous-version",
	"sha256",
	"binary",
	"configure-args",
	"failed-hosts",
	"remaining-hosts",
	"results",
	"report",
	"report-page",
	"failed-requests",
	"longest-gap-ms",
	"duration-ms",
	"matrix"
];
/** All outputs of a job share 1 MB, counted as UTF-16. */
const RESULTS_CHARS = 4e5;
const LINE = /^[^\p{Cc}\u2028\u2029]{1,200000}$/u;
const NUMBER = /^\d{1,15}$/;
const VERSION = /^\d{1,5}(?:\.\d{1,5}){1,3}(?:[-+~][\w.+~-]{1,40})?$/;
const GRAMMAR = {
	outcome: (value) => OUTCOMES.some((outcome) => outcome === value),
	version: (value) => VERSION.test(value),
	"previous-version": (value) => VERSION.test(value),
	sha256: (value) => /^[0-9a-f]{64}$/.test(value),
	binary: (value) => value.startsWith("/") && LINE.test(value),
	"configure-args": (value) => LINE.test(value),
	"failed-hosts": (value) => LINE.test(value),
	"remaining-hosts": (value) => LINE.test(value),
	results: isJson,
	report: (value) => value.startsWith("/") && LINE.test(value),
	"report-page": (value) => value.startsWith("/") && LINE.test(value),
	"failed-requests": (value) => NUMBER.test(value),
	"longest-gap-ms": (value) => NUMBER.test(value),
	"duration-ms": (value) => NUMBER.test(value),
	matrix: isJson
};
/**
* Every output of the action. One that does not apply is empty; so is one whose value is not of its grammar (it came
* from a target), and so are versions and digests on which the targets do not agree: `results` holds each.
*/
function outputs(report, extras) {
	const values = {
		outcome: report.outcome,
		...binaryOutputs(report.hosts, extras.binary ?? {}),
		"failed-hosts": require_run.failedHosts(report).join(","),
		"remaining-hosts": require_run.remainingHosts(report.hosts, extras.asked).join(","),
		results: resultsJson(report.hosts),
		report: extras.reportPath ?? "",
		"report-page": "",
		"failed-requests": number(require_run.failedRequests(report.hosts)),
		"longest-gap-ms": number(require_run.longestGapMs(report.hosts)),
		"duration-ms": number(report.durationMs),
		matrix: report.command === "plan" ? JSON.stringify({ include: shards(report.hosts) }) : ""
	};
	for (const name of OUTPUT_NAMES) if (!GRAMMAR[name](values[name])) values[name] = "";
	return values;
}
function binaryOutputs(hosts, binary) {
	return {
		version: agreed(hosts.map((host) => host.version)) ?? binary.version ?? "",
		"previous-version": agreed(hosts.map((host) => host.previousVersion)) ?? "",
		sha256: agreed(hosts.map((host) => host.sha256)) ?? binary.sha256 ?? "",
		binary: binary.path ?? "",
		"configure-args": binary.configureArgs ?? ""
	};
}
/** The one value that all hosts have which have any; undefined where none has one, empty where they differ. */
function agreed(values) {
	const known = new Set(values.filter((value) => value !== null));
	return known.size > 1 ? "" : [...known][0];
}
/** Too much for an output loses first what only people read; the report file holds all of it. */
function resultsJson(hosts) {
	const texts = [
		(host) => host,
		(host) => ({
			...host,
			evidence: null
		}),
		(host) => ({
			...host,
			evidence: null,
			notes: [],
			phases: [],
			warnings: []
		}),
		({ target, outcome, state, version, reason }) => ({
			target,
			outcome,
			state,
			version,
			reason
		})
	].map((slim) => () => JSON.stringify(hosts.map(slim)));
	for (const text of texts) {
		const json = text();
		if (json.length <= RESULTS_CHARS) return json;
	}
	return "";
}
function number(value) {
	return value === null ? "" : String(Math.round(value));
}
function isJson(value) {
	try {
		JSON.parse(value);
		return true;
	} catch {
		return false;
	}
}

// src/report/markdown.ts
/** Long enough for any message of ours; an error-log line pasted into one may be endless. */
const TEXT_BYTES = 1e3;
/** `text` as one line of markdown that shows exactly these characters, whatever they are and wherever it stands. */
function plain(text) {
	return entities(require_run.clip(require_run.harmless(text).trim(), TEXT_BYTES)).replace(/[\\`*_[\]|~]/g, String.raw`\$&`).replace(/^(?:[#+=-]|\d+(?=[.)](?:\s|$)))/, (marker) => /\d/.test(marker) ? `${marker}\\` : `\\${marker}`);
}
/** As `plain`, but what stands between backticks becomes code. */
function prose(text) {
	return plain(text).replace(/\\`([^`]*?)\\`/g, "<code>$1</code>");
}
/** `text` as code; safe inside a table cell. */
function code(text) {
	return `<code>${plain(text)}</code>`;
}
/** Lines shown as they are, in at most `maxBytes` of markup. */
function preformatted(lines, maxBytes) {
	return `<pre>\n${fit(lines, {
		render: literal,
		maxBytes,
		separator: "\n",
		rest: "… # more lines"
	})}\n</pre>`;
}
function tableRow(cells) {
	return `| ${cells.join(" | ")} |`;
}
/** Folded. The blank lines let GitHub read `body` as markdown again. */
function details(summary, body) {
	return `<details><summary>${entities(require_run.harmless(summary))}</summary>\n\n${body}\n\n</details>`;
}
/** As many items as fit into `maxBytes`, whole. */
function fit(items, { render, maxBytes, separator, rest }) {
	const kept = [];
	let size = Buffer.byteLength(rest) + 10;
	for (const [index, item] of items.entries()) {
		const part = render(item);
		if (part === "") continue;
		size += Buffer.byteLength(part) + separator.length;
		if (size > maxBytes) return [...kept, rest.replace("#", `${items.length - index}`)].join(separator);
		kept.push(part);
	}
	return kept.join(separator);
}
function literal(line) {
	return entities(require_run.clip(require_run.harmless(line), TEXT_BYTES));
}
/** `$` too: GitHub looks for formulas before it reads markdown. */
function entities(text) {
	return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;").replaceAll("$", "&#36;");
}

// src/report/host-section.ts
const SECTION_BYTES = 64e3;
const FINDINGS_BYTES = 16e3;
const NOTES_BYTES = 8e3;
const EVIDENCE_BYTES = 11e3;
/** What the summary says about one host below the table: timeline, findings, notes, evidence. At most 64 kB. */
function hostSection(host, { titled }) {
	const blocks = [
		timeline(host.phases),
		titled ? reason(host) : "",
		findings("Refused", host.refusals),
		findings("Warnings", host.warnings),
		notes(host),
		host.evidence === null ? "" : evidence(host.evidence)
	];
	if (blocks.every((block) => block === "")) return "";
	const title = titled ? `#### ${code(host.target)}` : "";
	const rest = "_… and # more parts: the full report holds them._";
	return fit([title, ...blocks], {
		render: (block) => block,
		maxBytes: SECTION_BYTES,
		separator: "\n\n",
		rest
	});
}
function timeline(phases) {
	const [first] = phases;
	if (first === void 0) return "";
	const steps = phases.map((phase) => `${phase.name} ${Math.round(phase.ms)} ms`);
	return `Timeline from ${plain(first.at)}: ${steps.join(" → ")}`;
}
/** The run's verdict says it where there is one host only. */
function reason(host) {
	return host.reason === null || host.refusals.length > 0 ? "" : `Reason: ${code(host.reason.code)} ${prose(host.reason.message)}`;
}
function findings(title, list) {
	if (list.length === 0) return "";
	return `**${title}**\n\n${fit(list, {
		render: item,
		maxBytes: FINDINGS_BYTES,
		separator: "\n",
		rest: "- … and # more"
	})}`;
}
function item(finding) {
	return `- ${code(finding.code)} ${prose(finding.message)} **Fix:** ${prose(finding.fix)}`;
}
function notes(host) {
	if (host.notes.length === 0) return "";
	return `**${host.outcome === "planned" ? "The plan" : "Notes"}**\n\n${preformatted(host.notes, NOTES_BYTES)}`;
}
function evidence({ errorLog, probes, processes }) {
	const present = [
		["Error log", errorLog],
		["Probe answers", probes],
		["Processes", processes]
	].filter(([, lines]) => lines.length > 0);
	if (present.length === 0) return "";
	const body = present.map(([title, lines]) => `${title}:\n\n${preformatted(lines, EVIDENCE_BYTES)}`);
	return details("Evidence, taken before anything was undone", body.join("\n\n"));
}

// src/report/summary.ts
/** GitHub drops a summary of more than 1 MiB altogether. */
const TOTAL_BYTES = 1e6;
const TABLE_BYTES = 25e4;
const HEAD = [
	"Target",
	"Old → new",
	"Outcome",
	"Longest gap",
	"Failed probes",
	"Old workers drained",
	"State"
];
const NOT_KEPT = "_What no binary upgrade can keep: idle keep-alive connections (each may be reset once), TLS session ids and tickets with keys that nginx made itself (one full handshake each; `ssl_session_ticket_key` keeps them), and shared memory zones (limits, upstream state and counters start empty)._";
const UNWATCHED = "_Neither `canary-time` nor `bake-time` was set: the new workers were seen accepting once, nobody watched whether they stay well._";
/** The run as GitHub-flavoured markdown, the verdict first. Below 1 MiB however large the fleet is. */
function summary(report, options = {}) {
	const blocks = [
		() => `### ${report.ok ? "✅" : "❌"} ${plain(require_file.runVerdict(report))}`,
		() => hostTable(report.hosts),
		() => steps(require_file.nextSteps(report)),
		() => footnotes(report, options),
		...require_run.worstFirst(report.hosts).map((host) => () => hostSection(host, { titled: report.hosts.length > 1 }))
	];
	return `${fit(blocks, {
		render: (block) => block(),
		maxBytes: TOTAL_BYTES,
		separator: "\n\n",
		rest: "_… and # more parts: the full report holds them._"
	})}\n`;
}
function hostTable(hosts) {
	if (hosts.length === 0) return "";
	const rows = fit(hosts, {
		render: (host) => tableRow(row(host)),
		maxBytes: TABLE_BYTES,
		separator: "\n",
		rest: "\n_… and # more targets: the full report holds them._"
	});
	return [
		tableRow(HEAD),
		tableRow(HEAD.map(() => "---")),
		rows
	].join("\n");
}
function row(host) {
	const { probe, drained } = host;
	return [
		code(host.target),
		plain(require_file.change(host)),
		require_file.outcomeWords(host.outcome),
		probe === null ? "–" : `${Math.round(probe.longestGapMs)} ms`,
		probe === null ? "–" : `${probe.failed} of ${probe.sent}${require_file.isAttributed(host) ? "" : " (not attributed)"}`,
		drained === null ? "–" : drained ? "yes" : "not yet",
		host.state ?? "unknown"
	];
}
function steps(list) {
	if (list.length === 0) return "";
	return ["**What to do next**", ...list.map(step)].join("\n\n");
}
/** One-line commands cannot end the fence. */
function step({ text, commands }) {
	return commands.length === 0 ? prose(text) : `${prose(text)}\n\n\`\`\`sh\n${commands.join("\n")}\n\`\`\``;
}
function footnotes(report, { watchedMs, reportPath }) {
	const switched = report.hosts.some((host) => host.outcome === "upgraded" || host.outcome === "held");
	return [
		switched && report.command === "upgrade" ? NOT_KEPT : "",
		switched && report.command === "upgrade" && watchedMs === 0 ? UNWATCHED : "",
		reportPath === void 0 ? "" : `Full report on the runner: ${code(reportPath)}`
	].filter((note) => note !== "").join("\n\n");
}

// src/action.ts
async function main(variables) {
	const { raw, othersMayBeThere } = require_action_logger.readActionInputs(variables);
	const secrets = require_run.secretsOf(raw);
	for (const secret of secrets) require_core.setSecret(secret);
	const mask = require_run.createMask(secrets);
	const log = require_action_logger.createActionLogger({ mask });
	const environment = {
		user: (0, node_os.userInfo)().username,
		sshAuthSock: variables["SSH_AUTH_SOCK"],
		othersMayBeThere
	};
	const { config, warnings } = await require_run.parseInputs(raw, environment);
	for (const { input, message } of warnings) require_core.warning(message, { title: input });
	require_core.saveState("targets", config.targets.map(({ name }) => name).join(", "));
	const { report, binary } = await require_run.run({
		config,
		log,
		cancel: require_file.cancelOnSignals()
	});
	const masked = require_run.maskAll(report, mask);
	require_core.saveState("pending", String(report.hosts.some(isPending)));
	require_core.saveState("ended", report.outcome);
	const reportPath = await require_file.writeReport(masked).catch((error) => {
		require_core.warning(`The full report could not be written: ${require_errors.messageOf(error)}`);
	});
	const extras = {
		asked: {
			command: config.command,
			autoCommit: config.switch.autoCommit
		},
		...reportPath ? { reportPath } : {},
		...binary === void 0 ? {} : { binary: describe(binary) }
	};
	for (const [name, value] of Object.entries(outputs(masked, extras))) require_core.setOutput(name, value);
	for (const line of require_file.consoleVerdict(masked)) log.info(line);
	for (const { title, message } of annotations(masked)) require_core.error(message, { title });
	const watchedMs = config.switch.canaryTime + config.switch.bakeTime;
	await summarize(summary(masked, {
		watchedMs,
		...reportPath ? { reportPath } : {}
	}));
	process.exitCode = report.ok ? 0 : 1;
}
/** Something is left for a guard or a person to end; the post step looks at it once more. */
function isPending({ state, outcome }) {
	return state === null ? outcome === "failed" : state !== "idle";
}
/** The verdict stands whether or not the page can be written. */
async function summarize(markdown) {
	if (!process.env["GITHUB_STEP_SUMMARY"]) return;
	await require_core.summary.addRaw(markdown).write().catch((error) => require_core.warning(`The summary could not be written: ${require_errors.messageOf(error)}`));
}
function describe({ path, sha256, build }) {
	return {
		path,
		sha256,
		version: build.version,
		configureArgs: require_run.printArgs(build.arguments)
	};
}
function explain(error$1) {
	if (error$1 instanceof require_errors.InputError) {
		for (const { input, message } of error$1.problems) require_core.error(message, { title: `Input ${input}` });
		require_core.info("Nothing was done.");
	} else require_core.error(require_errors.messageOf(error$1));
	process.exitCode = 1;
}
main(process.env).catch(explain).finally(() => process.exit());
