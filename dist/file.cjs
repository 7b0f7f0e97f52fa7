const require_run = require("./run.cjs");
let node_os = require("node:os");
let node_fs_promises = require("node:fs/promises");
let node_path = require("node:path");

// src/cancel.ts
/** A run that was told to end leaves within this time; runners kill after 7.5 and 2.5 seconds more. */
const LEAVE_WITHIN_MS = 6e3;
/** Aborted by the first SIGINT or SIGTERM; a run that has not left six seconds later is ended. */
function cancelOnSignals() {
	const controller = new AbortController();
	const cancel = (signal) => {
		if (controller.signal.aborted) return;
		controller.abort(signal);
		setTimeout(() => {
			process.stderr.write("Cancelled. The targets' guards go back to the old version on their own; run \"status\".\n");
			process.exit(1);
		}, LEAVE_WITHIN_MS).unref();
	};
	process.on("SIGINT", cancel);
	process.on("SIGTERM", cancel);
	return controller.signal;
}

// src/report/verdict.ts
/** The whole run in one plain sentence without a full stop. */
function runVerdict(report) {
	const [first, ...others] = report.hosts;
	if (first === void 0) return report.ok ? report.outcome : `${report.command} ${report.outcome}`;
	if (others.length === 0) return hostVerdict(first, report.command);
	return join$1([`${report.hosts.length} targets: ${outcomeCounts(report.hosts)}`, fleetProbes(report.hosts)], "; ");
}
/** What became of one host, in one plain sentence without a full stop. */
function hostVerdict(host, command) {
	return require_run.harmless(`${host.target} ${VERDICTS[host.outcome](host, command)}`);
}
/** `1.22.1 → 1.26.3`, with `?` for what is not known. */
function change(host) {
	const { previousVersion: from, version: to, previousSha256, sha256 } = host;
	if (from === null && to === null) return "?";
	if (from !== to) return `${from ?? "?"} → ${to ?? "?"}`;
	return previousSha256 !== null && sha256 !== null && previousSha256 !== sha256 ? `${from} → ${to} (another build)` : `${from}`;
}
/** What was probed is what was upgraded; else a good answer may be somebody else's. */
function isAttributed({ warnings }) {
	return warnings.every(({ code }) => code !== "not-attributed");
}
/** A reason or finding as part of a longer sentence. */
function clause(message) {
	return require_run.harmless(message).trim().replace(/\.$/, "");
}
function outcomeWords(outcome) {
	return outcome === "rolled-back" ? "rolled back" : outcome;
}
const VERDICTS = {
	upgraded: (host) => colon(`upgraded ${change(host)}`, measures(host)),
	unchanged: (host, command) => `unchanged: ${nothingTo(command)}runs ${running(host)}`,
	held: (host) => join$1([heldVerdict(host), measures(host)], "; "),
	"rolled-back": (host, command) => command === "rollback" ? colon(`rolled back ${change(host)}`, measures(host)) : undoneVerdict(host),
	refused: (host) => colon("refused, nothing was touched", codes(host.refusals) || found(host)),
	failed: (host) => `${colon(`failed${because(host)}`, found(host))}; state ${host.state ?? "unknown"}`,
	skipped: () => "skipped: never started, because the rollout stopped",
	planned: (host) => join$1([`can be upgraded: ${change(host)}`, warned(host.warnings.length)], ", "),
	built: (host) => `built ${running(host)}`,
	reported: (host) => `runs ${running(host)}, state ${host.state ?? "unknown"}`
};
function undoneVerdict(host) {
	return join$1([colon(`rolled back to ${running(host)}${because(host)}`, found(host)), measures(host)], "; ");
}
function heldVerdict(host) {
	const why = host.reason === null ? "" : ` for inspection${because(host)}`;
	const generations = `${running(host)} serves, ${host.previousVersion ?? "the old version"} is parked beside it`;
	return join$1([colon(`held${why}`, found(host)), generations], host.reason === null ? ": " : "; ");
}
function measures(host) {
	const { probe, drained } = host;
	return join$1([probe === null ? "not probed" : `${probe.failed} of ${probe.sent} probes failed${isAttributed(host) ? "" : " (not attributed to this nginx)"}, longest gap ${Math.round(probe.longestGapMs)} ms`, {
		true: "old workers drained",
		false: "old workers still finish their last connections",
		null: ""
	}[`${drained}`]], ", ");
}
function fleetProbes(hosts) {
	const failed = require_run.failedRequests(hosts);
	if (failed === null) return "";
	return `${failed} of ${hosts.reduce((sum, host) => sum + (host.probe?.sent ?? 0), 0)} probes failed, longest gap ${Math.round(require_run.longestGapMs(hosts) ?? 0)} ms`;
}
function outcomeCounts(hosts) {
	const outcomes = require_run.worstFirst(hosts).map((host) => host.outcome);
	return [...new Set(outcomes)].map((outcome) => `${outcomes.filter((other) => other === outcome).length} ${outcomeWords(outcome)}`).join(", ");
}
function running(host) {
	return host.version ?? "an unknown version";
}
function because(host) {
	return host.reason === null ? "" : ` (${host.reason.code})`;
}
function found(host) {
	return host.reason === null ? "" : clause(host.reason.message);
}
function nothingTo(command) {
	if (command === "rollback") return "nothing to undo, ";
	return command === "commit" ? "nothing to commit, " : "";
}
function warned(count) {
	return count === 0 ? "" : `${count} ${count === 1 ? "warning" : "warnings"}`;
}
function codes(findings) {
	return findings.map(({ code }) => code).join(", ");
}
function colon(head, tail) {
	return join$1([head, tail], ": ");
}
function join$1(parts, separator) {
	return parts.filter((part) => part !== "").join(separator);
}

// src/report/next-steps.ts
const ADVICE = {
	refused: "Each refusal names its fix.",
	unhealthy: "The new version failed its health checks: look at the probe answers and the error log in the evidence.",
	inconclusive: "The probes could not be sent, so nothing is known about the new version: mend the network between prober and target, or change `health-from`, and run again.",
	"not-ready": "The new workers did not begin to accept in time: the error log in the evidence says what they waited for; raise `ready-timeout` if they only need longer.",
	"new-master-died": "The new master ended by itself: its last words are in the error log in the evidence.",
	"workers-crashing": "The new workers died: look for \"exited on signal\" in the error log; a module built for another version is a usual cause.",
	"error-log": "The new version wrote serious errors: they are in the evidence.",
	cancelled: "The run was cancelled: run it again when you are ready.",
	"guard-expired": "The target heard nothing from the run within its deadline and went back by itself: look for what held up the runner or the network, or raise `confirm-timeout`.",
	"connection-lost": "The connection broke: look at the state first, then run the same command again.",
	unreachable: "The target could not be reached: check its name and port, firewalls and `proxy-jump`.",
	"host-key": "The target showed another host key than the pinned one: compare it on the machine itself before you change `known-hosts` or `fingerprint`.",
	auth: "The login was refused: check `username`, `key` and the account on the target.",
	"upload-failed": "The binary did not arrive whole: check disk space on the target and the connection, then run again.",
	"changed-by-others": "Somebody else signalled or changed this nginx during the run: look for log rotation, certificate hooks and configuration management, then run again.",
	outage: "The service stopped answering: look at the target now.",
	internal: "Something went wrong that was not foreseen: look at the state, keep the full report and tell the maintainers."
};
/** In the order of urgency. Empty where everything is as asked and at rest. */
function nextSteps(report) {
	const of = (outcome) => report.hosts.filter((host) => host.outcome === outcome);
	const back = report.command === "rollback" ? [] : of("rolled-back");
	return [
		...lookSteps(of("failed"), report),
		...heldSteps(of("held"), report),
		...adviceSteps([
			...of("failed"),
			...of("held"),
			...back
		]),
		...refusedSteps(of("refused")),
		...skippedSteps(of("skipped"))
	].map(({ text, commands }) => ({
		text: require_run.harmless(text),
		commands
	}));
}
function lookSteps(failed, run) {
	const unclear = failed.filter((host) => host.state !== "idle" && !require_run.neverEntered(host));
	if (unclear.length === 0) return [];
	const unknown = unclear.some((host) => host.state === null);
	return [{
		text: `${names(unclear)} may not be at rest. ${unknown ? "A guard that was armed there goes back to the old version when it hears nothing more. " : ""}Look first, then go back if need be:`,
		commands: [commandLine("status", unclear, run), commandLine("rollback", unclear, run)]
	}];
}
function heldSteps(held, run) {
	if (held.length === 0) return [];
	const deadlines = held.flatMap((host) => host.guard?.deadline ?? []).sort();
	const until = deadlines[0] === void 0 ? "" : ` Unless committed by ${deadlines[0]}, the old version takes over again.`;
	return [{
		text: `Keep the new version on ${names(held)}, or go back.${until} In a workflow: the same step with \`command: commit\` or \`command: rollback\`.`,
		commands: [commandLine("commit", held, run), commandLine("rollback", held, run)]
	}];
}
function adviceSteps(hosts) {
	return [...new Set(hosts.flatMap((host) => host.reason?.code ?? []))].map((reason) => {
		return {
			text: `${names(hosts.filter((host) => host.reason?.code === reason))}: ${ADVICE[reason]}`,
			commands: []
		};
	});
}
function refusedSteps(refused) {
	return refused.length === 0 ? [] : [{
		text: `${names(refused)}: ${ADVICE.refused}`,
		commands: []
	}];
}
function skippedSteps(skipped) {
	if (skipped.length === 0) return [];
	return [{
		text: `${names(skipped)}: never started: run again once the cause is gone; targets that are done stay as they are.`,
		commands: []
	}];
}
function names(hosts) {
	const shown = hosts.slice(0, 5).map((host) => host.target);
	return shown.join(", ") + (hosts.length > shown.length ? ` and ${hosts.length - shown.length} more` : "");
}
function commandLine(command, hosts, { pidFile }) {
	const instance = pidFile === void 0 ? "" : ` --pid-file ${quote(pidFile)}`;
	return `nginx-hot-upgrade ${command} --targets ${quote(hosts.map(address).join(","))}${hosts.some((host) => host.port !== null) ? " --known-hosts \"@$HOME/.ssh/known_hosts\"" : ""}${instance}`;
}
/** With user and port spelled out, so that the line works without this run's other inputs. */
function address(host) {
	if (host.port === null) return require_run.harmless(host.target);
	const name = host.host.includes(":") ? `[${host.host}]` : host.host;
	return require_run.harmless(`${host.user === null ? "" : `${host.user}@`}${name}${host.port === 22 ? "" : `:${host.port}`}`);
}
function quote(word) {
	return /^[\w@.:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

// src/report/console-verdict.ts
/** The same as the summary in a few plain lines for the log, the verdict first. */
function consoleVerdict(report) {
	const each = report.hosts.length > 1 ? require_run.worstFirst(report.hosts) : [];
	return [
		runVerdict(report),
		...each.map((host) => `  ${hostVerdict(host, report.command)}`),
		...report.hosts.flatMap(refusals),
		...nextSteps(report).flatMap(({ text, commands }) => [`Next: ${text}`, ...commands.map((line) => `  ${line}`)])
	];
}
function refusals(host) {
	return host.refusals.map(({ code, message, fix }) => require_run.harmless(`${host.target} ${code}: ${clause(message)}. Fix: ${clause(fix)}.`));
}

// src/report/file.ts
/**
* Writes the whole report as JSON to a fresh file that only this user can read, and returns its path. On a CI runner
* it lies in the job's own temporary directory. Rejects with the file system's error.
*/
async function writeReport(report, env = process.env) {
	const directory = await (0, node_fs_promises.mkdtemp)((0, node_path.join)(env["RUNNER_TEMP"] || (0, node_os.tmpdir)(), "nginx-hot-upgrade-"));
	const path = (0, node_path.join)(directory, "report.json");
	await (0, node_fs_promises.writeFile)(path, `${JSON.stringify(report, null, 2)}\n`, {
		mode: 384,
		flag: "wx"
	});
	return path;
}

Object.defineProperty(exports, "cancelOnSignals", {
  enumerable: true,
  get: function () {
    return cancelOnSignals;
  }
});
Object.defineProperty(exports, "change", {
  enumerable: true,
  get: function () {
    return change;
  }
});
Object.defineProperty(exports, "clause", {
  enumerable: true,
  get: function () {
    return clause;
  }
});
Object.defineProperty(exports, "consoleVerdict", {
  enumerable: true,
  get: function () {
    return consoleVerdict;
  }
});
Object.defineProperty(exports, "isAttributed", {
  enumerable: true,
  get: function () {
    return isAttributed;
  }
});
Object.defineProperty(exports, "nextSteps", {
  enumerable: true,
  get: function () {
    return nextSteps;
  }
});
Object.defineProperty(exports, "outcomeWords", {
  enumerable: true,
  get: function () {
    return outcomeWords;
  }
});
Object.defineProperty(exports, "runVerdict", {
  enumerable: true,
  get: function () {
    return runVerdict;
  }
});
Object.defineProperty(exports, "writeReport", {
  enumerable: true,
  get: function () {
    return writeReport;
  }
});