const require_core = require("./core.cjs");
const require_errors = require("./errors.cjs");
const require_action_logger = require("./action-logger.cjs");
const require_run = require("./run.cjs");
let node_os = require("node:os");

// src/post.ts
/** Reads what the targets say and reports what is still pending. Changes nothing: undoing is the guard's work. */
async function main(variables) {
	if (!needsALook()) return;
	const { raw, othersMayBeThere } = require_action_logger.readActionInputs(variables);
	const secrets = require_run.secretsOf(raw);
	const log = require_action_logger.createActionLogger({ mask: require_run.createMask(secrets) });
	const environment = {
		user: (0, node_os.userInfo)().username,
		sshAuthSock: variables["SSH_AUTH_SOCK"],
		othersMayBeThere
	};
	const asked = new Map([...raw].filter(([name]) => !ONLY_FOR_UPGRADES.has(name))).set("command", "status");
	const { config } = await require_run.parseInputs(asked, environment);
	const { report } = await require_run.run({
		config,
		log,
		cancel: AbortSignal.timeout(6e4)
	});
	for (const host of report.hosts) if (host.outcome !== "reported") log.warning(`${host.target}: its state cannot be read: ${host.reason?.message ?? ""}`);
	else if (host.state !== "idle") log.warning(`${host.target} is ${host.state}: ${host.notes.join("; ")}`);
}
/** Files of theirs may be gone by now. */
const ONLY_FOR_UPGRADES = /* @__PURE__ */ new Set([
	"binary",
	"download-url",
	"nginx-version",
	"sha256",
	"add-modules",
	"trusted-keys",
	"health-ca"
]);
/** The step was cut short before it could say how it ended, or it ended with something pending. */
function needsALook() {
	return require_core.getState("targets") !== "" && (require_core.getState("ended") === "" || require_core.getState("pending") === "true");
}
main(process.env).catch((error) => require_core.warning(`The state of the targets could not be read: ${require_errors.messageOf(error)}`)).finally(() => process.exit());
