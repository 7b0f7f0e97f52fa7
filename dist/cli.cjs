#!/usr/bin/env node
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('nginx-hot-upgrade needs Node 24 or later; this is ' + process.version + '\n');
  process.exit(1);
}
{
  const home = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache');
  if (home) require('node:module').enableCompileCache(home + '/nginx-hot-upgrade');
}
const require_file = require("./file.cjs");
const require_errors = require("./errors.cjs");
const require_run = require("./run.cjs");
let node_os = require("node:os");
let node_fs = require("node:fs");

// src/inputs/arguments.ts
/** Splits a command line: `COMMAND --input value`, `--input=value`; a boolean without a value is true. Shows no value. */
function splitArguments(argv) {
	const rest = [...argv];
	const found = {
		command: rest[0]?.startsWith("-") === false ? rest.shift() : void 0,
		values: [],
		problems: []
	};
	for (let word = rest.shift(); word !== void 0; word = rest.shift()) {
		const [option, inline] = splitOnce(word);
		if (isOption(word)) takeOption(found, {
			name: option.slice(2),
			value: inline,
			rest
		});
		else found.problems.push({
			input: "command",
			message: "expected one command and then options, found a further word: quote values with spaces"
		});
	}
	return found;
}
/** Their values are options themselves: of nginx's `configure`. */
const TAKES_OPTIONS = /* @__PURE__ */ new Set([
	"configure-args",
	"extra-configure-args",
	"omit-configure-args"
]);
function takeOption(found, option) {
	const { name, rest } = option;
	const next = rest[0] !== void 0 && (!isOption(rest[0]) || TAKES_OPTIONS.has(name)) ? rest[0] : void 0;
	if (option.value === void 0 && next !== void 0) rest.shift();
	const value = option.value ?? next ?? (require_run.isInputName(name) && require_run.specOf(name).kind === "boolean" ? "true" : void 0);
	if (!require_run.isInputName(name)) {
		const hidden = /^(?:key|passphrase)$/.test(found.problems.at(-1)?.input ?? "");
		const message = hidden ? "behind it stands no option that is known (not shown)" : `there is no such option.${require_run.suggestion(name, require_run.INPUT_NAMES)} See --help`;
		found.problems.push({
			input: hidden ? "command" : require_run.label(name),
			message
		});
	} else if (value === void 0) found.problems.push({
		input: name,
		message: "a value is missing after the option (one that starts with \"--\": --name=value)"
	});
	else found.values.push({
		name,
		value
	});
}
/** The text of a key, `-----BEGIN …`, is none. */
function isOption(word) {
	return /^--[^-]/.test(word);
}
function splitOnce(word) {
	const equals = word.indexOf("=");
	return equals < 0 ? [word, void 0] : [word.slice(0, equals), word.slice(equals + 1)];
}

// src/inputs/from-cli.ts
const SECRETS = [["key", "NGINX_HOT_UPGRADE_KEY"], ["passphrase", "NGINX_HOT_UPGRADE_PASSPHRASE"]];
const REPEATABLE = /* @__PURE__ */ new Set([
	"list",
	"lines",
	"block"
]);
/** What the words after the program's name ask for. Reads the files that they name; never throws. */
function readCommandLine(argv, environment) {
	if (argv.length === 0 || argv.includes("--help") || argv.includes("-h")) return { kind: "help" };
	if (argv.includes("--version")) return { kind: "version" };
	if (argv[0] === "helper") return { kind: "helper" };
	const { command, values, problems } = splitArguments(argv);
	const given = command === void 0 ? values : [{
		name: "command",
		value: command
	}, ...values];
	const readFile = environment.readFile ?? ((path) => (0, node_fs.readFileSync)(path, "utf8"));
	problems.push(...twiceFromStandardInput(given));
	const raw = gather(given, {
		readFile,
		problems
	});
	for (const [name, variable] of SECRETS) {
		const value = environment.variables[variable];
		if (value !== void 0 && !raw.has(name)) raw.set(name, value);
	}
	return {
		kind: "run",
		raw,
		problems
	};
}
function gather(given, use) {
	const raw = /* @__PURE__ */ new Map();
	for (const { name, value } of given) {
		const text = resolve({
			name,
			value
		}, use);
		const before = raw.get(name);
		if (before === void 0) raw.set(name, text);
		else if (REPEATABLE.has(require_run.specOf(name).kind) && require_run.specOf(name).secret !== true) raw.set(name, `${before}\n${text}`);
		else use.problems.push({
			input: name,
			message: "is given more than once"
		});
	}
	return raw;
}
/** The value itself, or what it points to; empty, with a problem, where that cannot be had. */
function resolve({ name, value }, use) {
	const secret = require_run.specOf(name).secret === true;
	const source = secret && value === "-" ? 0 : value.startsWith("@") ? value.slice(1) : void 0;
	if (source === void 0) {
		if (!secret || value === "") return value;
		use.problems.push({
			input: name,
			message: literalSecret(name)
		});
		return "";
	}
	try {
		return use.readFile(source);
	} catch (error) {
		use.problems.push({
			input: name,
			message: unreadable(error, source)
		});
		return "";
	}
}
function literalSecret(name) {
	return `a secret is never taken from the command line, where every user of this machine can read it: use --${name} @FILE, --${name} - (standard input) or the environment (${SECRETS.find(([secret]) => secret === name)?.[1] ?? ""})`;
}
function unreadable(error, source) {
	const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
	if (source === 0) return `standard input cannot be read (${code})`;
	if (code === "ENOENT") return `there is no file ${require_run.show(source)}`;
	if (code === "EISDIR") return `expected a file behind "@", found the directory ${require_run.show(source)}`;
	if (code === "EACCES") return `the file ${require_run.show(source)} may not be read by this user`;
	return `the file ${require_run.show(source)} cannot be read (${code})`;
}
function twiceFromStandardInput(given) {
	const users = given.filter(({ name, value }) => require_run.specOf(name).secret === true && value === "-");
	if (users.length < 2) return [];
	return [{
		input: users[1]?.name ?? "key",
		message: "standard input can be read only once: use @FILE"
	}];
}

// src/report/console-logger.ts
const SGR = {
	bold: "1",
	yellow: "33"
};
/** The command line's log: progress on stdout, warnings on stderr. */
function createConsoleLogger(options) {
	const { mask, stdout = process.stdout, stderr = process.stderr, env = process.env } = options;
	const coloured = stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "";
	const say = printer(stdout, {
		mask,
		paint: paintIf(coloured)
	});
	const warn = printer(stderr, {
		mask,
		paint: paintIf(coloured && stderr.isTTY === true)
	});
	return {
		info: (message) => say(message),
		detail: () => {},
		warning: (message) => warn(`warning: ${message}`, "yellow"),
		group(title, body) {
			say(title, "bold");
			return body();
		}
	};
}
function printer(stream, { mask, paint }) {
	return (message, style) => {
		const lines = require_run.harmlessLines(message, { mask }).map((line) => style === void 0 ? line : paint(style, line));
		stream.write(`${lines.join("\n")}\n`);
	};
}
function paintIf(coloured) {
	return (style, text) => coloured ? `\u{1B}[${SGR[style]}m${text}\u{1B}[0m` : text;
}

// src/cli.ts
async function main(argv, variables) {
	const asked = readCommandLine(argv, { variables });
	if (asked.kind === "help") return say(require_run.HELP);
	if (asked.kind === "version") return say(require_run.VERSION);
	if (asked.kind === "helper") return say(require_run.helperText());
	const environment = {
		user: (0, node_os.userInfo)().username,
		sshAuthSock: variables["SSH_AUTH_SOCK"],
		problems: asked.problems
	};
	const { config, warnings, secrets } = await require_run.parseInputs(asked.raw, environment);
	const mask = require_run.createMask(secrets);
	const log = createConsoleLogger({ mask });
	for (const { input, message } of warnings) log.warning(`${input}: ${message}`);
	const cancel = require_file.cancelOnSignals();
	const { report } = await require_run.run({
		config,
		log,
		cancel
	});
	const masked = require_run.maskAll(report, mask);
	const path = await require_file.writeReport(masked);
	for (const line of [...require_file.consoleVerdict(masked), `report: ${path}`]) log.info(line);
	return report.ok ? 0 : 1;
}
function say(text) {
	process.stdout.write(`${text}\n`);
	return 0;
}
function explain(error) {
	const problems = error instanceof require_errors.InputError ? error.problems : [];
	if (problems.length === 0) process.stderr.write(`nginx-hot-upgrade: ${require_errors.messageOf(error)}\n`);
	for (const { input, message } of problems) process.stderr.write(`--${input}: ${message}\n`);
	if (problems.length > 0) process.stderr.write("Nothing was done.\n");
	return 1;
}
main(process.argv.slice(2), process.env).catch(explain).then((code) => {
	process.stdout.write("", () => process.exit(code));
	setTimeout(() => process.exit(code), 1e4);
});
