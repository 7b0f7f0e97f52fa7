const require_errors = require("./errors.cjs");
const require_run = require("./run.cjs");
let node_os = require("node:os");
let node_net = require("node:net");
let node_events = require("node:events");
let node_fs = require("node:fs");
let node_child_process = require("node:child_process");

// src/connection/local.ts
/** All that a command here gets of the job's environment: no token and no secret is among it. */
const PASSED_ON = [
	"PATH",
	"HOME",
	"USER",
	"LOGNAME",
	"XDG_RUNTIME_DIR",
	"XDG_STATE_HOME"
];
/** This machine, without SSH. Its link cannot be lost. */
function connectLocal() {
	const open = /* @__PURE__ */ new Set();
	let closed = false;
	return {
		lost: new AbortController().signal,
		roundTripMs: 0,
		start: async (command) => {
			if (closed) throw new require_errors.UpgradeError("connection-lost", "local: expected to start a command; found the connection closed");
			const child = await spawnShell(command);
			const abort = () => killGroup(child);
			open.add(abort);
			return localChannel(child, abort, () => open.delete(abort));
		},
		dial: async (to) => {
			if (closed) throw new require_run.DialError("lost", "the connection was closed by this run");
			const socket = (0, node_net.connect)({
				...to,
				noDelay: true
			});
			const end = () => void socket.destroy();
			open.add(end);
			socket.once("close", () => open.delete(end));
			return connected(socket, to);
		},
		close: () => {
			closed = true;
			for (const end of open) end();
		}
	};
}
async function spawnShell(command) {
	const home = (0, node_os.homedir)();
	const child = (0, node_child_process.spawn)("/bin/sh", ["-c", command], {
		cwd: (0, node_fs.existsSync)(home) ? home : "/",
		env: environment(),
		detached: true
	});
	try {
		await (0, node_events.once)(child, "spawn");
	} catch (error) {
		throw new require_errors.UpgradeError("internal", `local: expected to start /bin/sh; found ${require_errors.messageOf(error)}`, { cause: error });
	}
	return child;
}
function environment() {
	const chosen = { LANG: "C" };
	for (const name of PASSED_ON) if (process.env[name] !== void 0) chosen[name] = process.env[name];
	return chosen;
}
function localChannel(child, abort, finished) {
	for (const stream of child.stdio) stream?.on("error", ignore);
	const ended = new Promise((resolve) => {
		child.once("close", (code, signal) => {
			finished();
			if (code !== null) resolve({
				kind: "exit",
				code
			});
			else resolve({
				kind: "signal",
				signal: signal ?? "SIGKILL"
			});
		});
	});
	return {
		stdin: child.stdin,
		stdout: child.stdout,
		stderr: child.stderr,
		ended,
		abort
	};
}
function killGroup(child) {
	if (child.pid === void 0 || child.exitCode !== null || child.signalCode !== null) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		child.stdin?.destroy();
	}
}
async function connected(socket, to) {
	try {
		await (0, node_events.once)(socket, "connect");
		return socket;
	} catch (error) {
		const ours = [
			"EMFILE",
			"ENFILE",
			"EADDRNOTAVAIL",
			"ENOBUFS",
			"ABORT_ERR"
		].includes(require_run.errorCode(error));
		throw new require_run.DialError(ours ? "lost" : "refused", `${to.host}:${to.port}: ${require_run.networkFault(error).finding}`);
	}
}
function ignore() {}

exports.connectLocal = connectLocal;