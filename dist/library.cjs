const require_rolldown_runtime = require("./rolldown-runtime.cjs");
const require_lib$1 = require("./lib2.cjs");
const require_errors = require("./errors.cjs");
const require_run = require("./run.cjs");
let fs = require("fs");
fs = require_rolldown_runtime.__toESM(fs, 1);
let path = require("path");
path = require_rolldown_runtime.__toESM(path, 1);
let assert = require("assert");
assert = require_rolldown_runtime.__toESM(assert, 1);
let node_stream = require("node:stream");
let node_timers_promises = require("node:timers/promises");

// node_modules/is-stream/index.js
var require_is_stream = /* @__PURE__ */ require_rolldown_runtime.__commonJSMin(((exports, module) => {
	const isStream = (stream) => stream !== null && typeof stream === "object" && typeof stream.pipe === "function";
	isStream.writable = (stream) => isStream(stream) && stream.writable !== false && typeof stream._write === "function" && typeof stream._writableState === "object";
	isStream.readable = (stream) => isStream(stream) && stream.readable !== false && typeof stream._read === "function" && typeof stream._readableState === "object";
	isStream.duplex = (stream) => isStream.writable(stream) && isStream.readable(stream);
	isStream.transform = (stream) => isStream.duplex(stream) && typeof stream._transform === "function";
	module.exports = isStream;
}));

// \0unused:make-dir
var import_is_stream = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_is_stream(), 1);
const unused$3 = () => {
	throw new Error("left out of the bundle");
};

// \0unused:sb-promise-queue
const unused$2 = () => {
	throw new Error("left out of the bundle");
};

// \0unused:sb-scandir
const unused$1 = () => {
	throw new Error("left out of the bundle");
};

// \0unused:shell-escape
const unused = () => {
	throw new Error("left out of the bundle");
};

// node_modules/node-ssh/lib/esm/index.mjs
var import_lib = /* @__PURE__ */ require_rolldown_runtime.__toESM(require_lib$1.require_lib(), 1);
const DEFAULT_CONCURRENCY = 1;
const DEFAULT_VALIDATE = (path$1) => !path.default.basename(path$1).startsWith(".");
const DEFAULT_TICK = () => {};
var SSHError = class extends Error {
	constructor(message, code = null) {
		super(message);
		this.code = code;
	}
};
function unixifyPath(path) {
	if (path.includes("\\")) return path.split("\\").join("/");
	return path;
}
async function readFile(filePath) {
	return new Promise((resolve, reject) => {
		fs.default.readFile(filePath, "utf8", (err, res) => {
			if (err) reject(err);
			else resolve(res);
		});
	});
}
const SFTP_MKDIR_ERR_CODE_REGEXP = /Error: (E[\S]+): /;
async function makeDirectoryWithSftp(path, sftp) {
	let stats = null;
	try {
		stats = await new Promise((resolve, reject) => {
			sftp.stat(path, (err, res) => {
				if (err) reject(err);
				else resolve(res);
			});
		});
	} catch (_) {}
	if (stats) {
		if (stats.isDirectory()) return;
		throw new Error("mkdir() failed, target already exists and is not a directory");
	}
	try {
		await new Promise((resolve, reject) => {
			sftp.mkdir(path, (err) => {
				if (err) reject(err);
				else resolve();
			});
		});
	} catch (err) {
		if (err != null && typeof err.stack === "string") {
			const matches = SFTP_MKDIR_ERR_CODE_REGEXP.exec(err.stack);
			if (matches != null) throw new SSHError(err.message, matches[1]);
			throw err;
		}
	}
}
var NodeSSH = class {
	constructor() {
		this.connection = null;
	}
	getConnection() {
		const { connection } = this;
		if (connection == null) throw new Error("Not connected to server");
		return connection;
	}
	async connect(givenConfig) {
		(0, assert.default)(givenConfig != null && typeof givenConfig === "object", "config must be a valid object");
		const config = { ...givenConfig };
		(0, assert.default)(config.username != null && typeof config.username === "string", "config.username must be a valid string");
		if (config.host != null) (0, assert.default)(typeof config.host === "string", "config.host must be a valid string");
		else if (config.sock != null) (0, assert.default)(typeof config.sock === "object", "config.sock must be a valid object");
		else throw new assert.AssertionError({ message: "Either config.host or config.sock must be provided" });
		if (config.privateKey != null || config.privateKeyPath != null) {
			if (config.privateKey != null) {
				(0, assert.default)(typeof config.privateKey === "string", "config.privateKey must be a valid string");
				(0, assert.default)(config.privateKeyPath == null, "config.privateKeyPath must not be specified when config.privateKey is specified");
			} else if (config.privateKeyPath != null) {
				(0, assert.default)(typeof config.privateKeyPath === "string", "config.privateKeyPath must be a valid string");
				(0, assert.default)(config.privateKey == null, "config.privateKey must not be specified when config.privateKeyPath is specified");
			}
			(0, assert.default)(config.passphrase == null || typeof config.passphrase === "string", "config.passphrase must be null or a valid string");
			if (config.privateKeyPath != null) try {
				config.privateKey = await readFile(config.privateKeyPath);
			} catch (err) {
				if (err != null && err.code === "ENOENT") throw new assert.AssertionError({ message: "config.privateKeyPath does not exist at given fs path" });
				throw err;
			}
		} else if (config.password != null) (0, assert.default)(typeof config.password === "string", "config.password must be a valid string");
		if (config.tryKeyboard != null) (0, assert.default)(typeof config.tryKeyboard === "boolean", "config.tryKeyboard must be a valid boolean");
		if (config.tryKeyboard) {
			const { password } = config;
			if (config.onKeyboardInteractive != null) (0, assert.default)(typeof config.onKeyboardInteractive === "function", "config.onKeyboardInteractive must be a valid function");
			else if (password != null) config.onKeyboardInteractive = (name, instructions, instructionsLang, prompts, finish) => {
				if (prompts.length > 0 && prompts[0].prompt.toLowerCase().includes("password")) finish([password]);
			};
		}
		const connection = new import_lib.default.Client();
		this.connection = connection;
		await new Promise((resolve, reject) => {
			connection.on("error", reject);
			if (config.onKeyboardInteractive) connection.on("keyboard-interactive", config.onKeyboardInteractive);
			connection.on("ready", () => {
				connection.removeListener("error", reject);
				resolve();
			});
			connection.on("end", () => {
				if (this.connection === connection) this.connection = null;
			});
			connection.on("close", () => {
				if (this.connection === connection) this.connection = null;
				reject(new SSHError("No response from server", "ETIMEDOUT"));
			});
			connection.connect(config);
		});
		return this;
	}
	isConnected() {
		return this.connection != null;
	}
	async requestShell(options) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.on("error", reject);
			const callback = (err, res) => {
				connection.removeListener("error", reject);
				if (err) reject(err);
				else resolve(res);
			};
			if (options == null) connection.shell(callback);
			else connection.shell(options, callback);
		});
	}
	async withShell(callback, options) {
		(0, assert.default)(typeof callback === "function", "callback must be a valid function");
		const shell = await this.requestShell(options);
		try {
			await callback(shell);
		} finally {
			shell.destroy();
		}
	}
	async requestSFTP() {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.on("error", reject);
			connection.sftp((err, res) => {
				connection.removeListener("error", reject);
				if (err) reject(err);
				else resolve(res);
			});
		});
	}
	async withSFTP(callback) {
		(0, assert.default)(typeof callback === "function", "callback must be a valid function");
		const sftp = await this.requestSFTP();
		try {
			await callback(sftp);
		} finally {
			sftp.end();
		}
	}
	async execCommand(givenCommand, options = {}) {
		(0, assert.default)(typeof givenCommand === "string", "command must be a valid string");
		(0, assert.default)(options != null && typeof options === "object", "options must be a valid object");
		(0, assert.default)(options.cwd == null || typeof options.cwd === "string", "options.cwd must be a valid string");
		(0, assert.default)(options.stdin == null || typeof options.stdin === "string" || import_is_stream.default.readable(options.stdin), "options.stdin must be a valid string or readable stream");
		(0, assert.default)(options.execOptions == null || typeof options.execOptions === "object", "options.execOptions must be a valid object");
		(0, assert.default)(options.encoding == null || typeof options.encoding === "string", "options.encoding must be a valid string");
		(0, assert.default)(options.onChannel == null || typeof options.onChannel === "function", "options.onChannel must be a valid function");
		(0, assert.default)(options.onStdout == null || typeof options.onStdout === "function", "options.onStdout must be a valid function");
		(0, assert.default)(options.onStderr == null || typeof options.onStderr === "function", "options.onStderr must be a valid function");
		(0, assert.default)(options.noTrim == null || typeof options.noTrim === "boolean", "options.noTrim must be a boolean");
		let command = givenCommand;
		if (options.cwd) command = `cd ${unused([options.cwd])} ; ${command}`;
		const connection = this.getConnection();
		const output = {
			stdout: [],
			stderr: []
		};
		return new Promise((resolve, reject) => {
			connection.on("error", reject);
			connection.exec(command, options.execOptions != null ? options.execOptions : {}, (err, channel) => {
				connection.removeListener("error", reject);
				if (err) {
					reject(err);
					return;
				}
				if (options.onChannel) options.onChannel(channel);
				channel.on("data", (chunk) => {
					if (options.onStdout) options.onStdout(chunk);
					output.stdout.push(chunk.toString(options.encoding));
				});
				channel.stderr.on("data", (chunk) => {
					if (options.onStderr) options.onStderr(chunk);
					output.stderr.push(chunk.toString(options.encoding));
				});
				if (options.stdin != null) {
					if (import_is_stream.default.readable(options.stdin)) options.stdin.pipe(channel, { end: true });
					else {
						channel.write(options.stdin);
						channel.end();
					}
				} else channel.end();
				let code = null;
				let signal = null;
				channel.on("exit", (code_, signal_) => {
					code = code_ !== null && code_ !== void 0 ? code_ : null;
					signal = signal_ !== null && signal_ !== void 0 ? signal_ : null;
				});
				channel.on("close", () => {
					let stdout = output.stdout.join("");
					let stderr = output.stderr.join("");
					if (options.noTrim !== true) {
						stdout = stdout.trim();
						stderr = stderr.trim();
					}
					resolve({
						code: code != null ? code : null,
						signal: signal != null ? signal : null,
						stdout,
						stderr
					});
				});
			});
		});
	}
	async exec(command, parameters, options = {}) {
		(0, assert.default)(typeof command === "string", "command must be a valid string");
		(0, assert.default)(Array.isArray(parameters), "parameters must be a valid array");
		(0, assert.default)(options != null && typeof options === "object", "options must be a valid object");
		(0, assert.default)(options.stream == null || [
			"both",
			"stdout",
			"stderr"
		].includes(options.stream), "options.stream must be one of both, stdout, stderr");
		for (let i = 0, { length } = parameters; i < length; i += 1) (0, assert.default)(typeof parameters[i] === "string", `parameters[${i}] must be a valid string`);
		const completeCommand = `${command}${parameters.length > 0 ? ` ${unused(parameters)}` : ""}`;
		const response = await this.execCommand(completeCommand, options);
		if (options.stream == null || options.stream === "stdout") {
			if (response.stderr) throw new Error(response.stderr);
			return response.stdout;
		}
		if (options.stream === "stderr") return response.stderr;
		return response;
	}
	async mkdir(path$2, method = "sftp", givenSftp = null) {
		(0, assert.default)(typeof path$2 === "string", "path must be a valid string");
		(0, assert.default)(typeof method === "string" && (method === "sftp" || method === "exec"), "method must be either sftp or exec");
		(0, assert.default)(givenSftp == null || typeof givenSftp === "object", "sftp must be a valid object");
		if (method === "exec") {
			await this.exec("mkdir", ["-p", unixifyPath(path$2)]);
			return;
		}
		const sftp = givenSftp || await this.requestSFTP();
		const makeSftpDirectory = async (retry) => makeDirectoryWithSftp(unixifyPath(path$2), sftp).catch(async (error) => {
			if (!retry || error == null || error.message !== "No such file" && error.code !== "ENOENT") throw error;
			await this.mkdir(path.default.dirname(path$2), "sftp", sftp);
			await makeSftpDirectory(false);
		});
		try {
			await makeSftpDirectory(true);
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async getFile(localFile, remoteFile, givenSftp = null, transferOptions = null) {
		(0, assert.default)(typeof localFile === "string", "localFile must be a valid string");
		(0, assert.default)(typeof remoteFile === "string", "remoteFile must be a valid string");
		(0, assert.default)(givenSftp == null || typeof givenSftp === "object", "sftp must be a valid object");
		(0, assert.default)(transferOptions == null || typeof transferOptions === "object", "transferOptions must be a valid object");
		const sftp = givenSftp || await this.requestSFTP();
		try {
			await new Promise((resolve, reject) => {
				sftp.fastGet(unixifyPath(remoteFile), localFile, transferOptions || {}, (err) => {
					if (err) reject(err);
					else resolve();
				});
			});
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async putFile(localFile, remoteFile, givenSftp = null, transferOptions = null) {
		(0, assert.default)(typeof localFile === "string", "localFile must be a valid string");
		(0, assert.default)(typeof remoteFile === "string", "remoteFile must be a valid string");
		(0, assert.default)(givenSftp == null || typeof givenSftp === "object", "sftp must be a valid object");
		(0, assert.default)(transferOptions == null || typeof transferOptions === "object", "transferOptions must be a valid object");
		(0, assert.default)(await new Promise((resolve) => {
			fs.default.access(localFile, fs.default.constants.R_OK, (err) => {
				resolve(err === null);
			});
		}), `localFile does not exist at ${localFile}`);
		const sftp = givenSftp || await this.requestSFTP();
		const putFile = (retry) => {
			return new Promise((resolve, reject) => {
				sftp.fastPut(localFile, unixifyPath(remoteFile), transferOptions || {}, (err) => {
					if (err == null) {
						resolve();
						return;
					}
					if (err.message === "No such file" && retry) resolve(this.mkdir(path.default.dirname(remoteFile), "sftp", sftp).then(() => putFile(false)));
					else reject(err);
				});
			});
		};
		try {
			await putFile(true);
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async putFiles(files, { concurrency = DEFAULT_CONCURRENCY, sftp: givenSftp = null, transferOptions = {} } = {}) {
		(0, assert.default)(Array.isArray(files), "files must be an array");
		for (let i = 0, { length } = files; i < length; i += 1) {
			const file = files[i];
			(0, assert.default)(file, "files items must be valid objects");
			(0, assert.default)(file.local && typeof file.local === "string", `files[${i}].local must be a string`);
			(0, assert.default)(file.remote && typeof file.remote === "string", `files[${i}].remote must be a string`);
		}
		const transferred = [];
		const sftp = givenSftp || await this.requestSFTP();
		const queue = new unused$2({ concurrency });
		try {
			await new Promise((resolve, reject) => {
				files.forEach((file) => {
					queue.add(async () => {
						await this.putFile(file.local, file.remote, sftp, transferOptions);
						transferred.push(file);
					}).catch(reject);
				});
				queue.waitTillIdle().then(resolve);
			});
		} catch (error) {
			if (error != null) error.transferred = transferred;
			throw error;
		} finally {
			if (!givenSftp) sftp.end();
		}
	}
	async putDirectory(localDirectory, remoteDirectory, { concurrency = DEFAULT_CONCURRENCY, sftp: givenSftp = null, transferOptions = {}, recursive = true, tick = DEFAULT_TICK, validate = DEFAULT_VALIDATE } = {}) {
		(0, assert.default)(typeof localDirectory === "string" && localDirectory, "localDirectory must be a string");
		(0, assert.default)(typeof remoteDirectory === "string" && remoteDirectory, "remoteDirectory must be a string");
		const localDirectoryStat = await new Promise((resolve) => {
			fs.default.stat(localDirectory, (err, stat) => {
				resolve(stat || null);
			});
		});
		(0, assert.default)(localDirectoryStat != null, `localDirectory does not exist at ${localDirectory}`);
		(0, assert.default)(localDirectoryStat.isDirectory(), `localDirectory is not a directory at ${localDirectory}`);
		const sftp = givenSftp || await this.requestSFTP();
		const scanned = await unused$1(localDirectory, {
			recursive,
			validate
		});
		const files = scanned.files.map((item) => path.default.relative(localDirectory, item));
		const directories = scanned.directories.map((item) => path.default.relative(localDirectory, item));
		directories.sort((a, b) => a.length - b.length);
		let failed = false;
		try {
			await new Promise((resolve, reject) => {
				const queue = new unused$2({ concurrency });
				directories.forEach((directory) => {
					queue.add(async () => {
						await this.mkdir(path.default.join(remoteDirectory, directory), "sftp", sftp);
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
			await new Promise((resolve, reject) => {
				const queue = new unused$2({ concurrency });
				files.forEach((file) => {
					queue.add(async () => {
						const localFile = path.default.join(localDirectory, file);
						const remoteFile = path.default.join(remoteDirectory, file);
						try {
							await this.putFile(localFile, remoteFile, sftp, transferOptions);
							tick(localFile, remoteFile, null);
						} catch (_) {
							failed = true;
							tick(localFile, remoteFile, _);
						}
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
		} finally {
			if (!givenSftp) sftp.end();
		}
		return !failed;
	}
	async getDirectory(localDirectory, remoteDirectory, { concurrency = DEFAULT_CONCURRENCY, sftp: givenSftp = null, transferOptions = {}, recursive = true, tick = DEFAULT_TICK, validate = DEFAULT_VALIDATE } = {}) {
		(0, assert.default)(typeof localDirectory === "string" && localDirectory, "localDirectory must be a string");
		(0, assert.default)(typeof remoteDirectory === "string" && remoteDirectory, "remoteDirectory must be a string");
		const localDirectoryStat = await new Promise((resolve) => {
			fs.default.stat(localDirectory, (err, stat) => {
				resolve(stat || null);
			});
		});
		(0, assert.default)(localDirectoryStat != null, `localDirectory does not exist at ${localDirectory}`);
		(0, assert.default)(localDirectoryStat.isDirectory(), `localDirectory is not a directory at ${localDirectory}`);
		const sftp = givenSftp || await this.requestSFTP();
		const scanned = await unused$1(remoteDirectory, {
			recursive,
			validate,
			concurrency,
			fileSystem: {
				basename(path$3) {
					return path.default.posix.basename(path$3);
				},
				join(pathA, pathB) {
					return path.default.posix.join(pathA, pathB);
				},
				readdir(path) {
					return new Promise((resolve, reject) => {
						sftp.readdir(path, (err, res) => {
							if (err) reject(err);
							else resolve(res.map((item) => item.filename));
						});
					});
				},
				stat(path) {
					return new Promise((resolve, reject) => {
						sftp.stat(path, (err, res) => {
							if (err) reject(err);
							else resolve(res);
						});
					});
				}
			}
		});
		const files = scanned.files.map((item) => path.default.relative(remoteDirectory, item));
		const directories = scanned.directories.map((item) => path.default.relative(remoteDirectory, item));
		directories.sort((a, b) => a.length - b.length);
		let failed = false;
		try {
			await new Promise((resolve, reject) => {
				const queue = new unused$2({ concurrency });
				directories.forEach((directory) => {
					queue.add(async () => {
						await unused$3(path.default.join(localDirectory, directory));
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
			await new Promise((resolve, reject) => {
				const queue = new unused$2({ concurrency });
				files.forEach((file) => {
					queue.add(async () => {
						const localFile = path.default.join(localDirectory, file);
						const remoteFile = path.default.join(remoteDirectory, file);
						try {
							await this.getFile(localFile, remoteFile, sftp, transferOptions);
							tick(localFile, remoteFile, null);
						} catch (_) {
							failed = true;
							tick(localFile, remoteFile, _);
						}
					}).catch(reject);
				});
				resolve(queue.waitTillIdle());
			});
		} finally {
			if (!givenSftp) sftp.end();
		}
		return !failed;
	}
	forwardIn(remoteAddr, remotePort, onConnection) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.forwardIn(remoteAddr, remotePort, (error, port) => {
				if (error) {
					reject(error);
					return;
				}
				const handler = (details, acceptConnection, rejectConnection) => {
					if (details.destIP === remoteAddr && details.destPort === port) onConnection === null || onConnection === void 0 || onConnection(details, acceptConnection, rejectConnection);
				};
				if (onConnection) connection.on("tcp connection", handler);
				const dispose = () => {
					return new Promise((_resolve, _reject) => {
						connection.off("tcp connection", handler);
						connection.unforwardIn(remoteAddr, port, (_error) => {
							if (_error) _reject(error);
							_resolve();
						});
					});
				};
				resolve({
					port,
					dispose
				});
			});
		});
	}
	forwardOut(srcIP, srcPort, dstIP, dstPort) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.forwardOut(srcIP, srcPort, dstIP, dstPort, (error, channel) => {
				if (error) {
					reject(error);
					return;
				}
				resolve(channel);
			});
		});
	}
	forwardInStreamLocal(socketPath, onConnection) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.openssh_forwardInStreamLocal(socketPath, (error) => {
				if (error) {
					reject(error);
					return;
				}
				const handler = (details, acceptConnection, rejectConnection) => {
					if (details.socketPath === socketPath) onConnection === null || onConnection === void 0 || onConnection(details, acceptConnection, rejectConnection);
				};
				if (onConnection) connection.on("unix connection", handler);
				const dispose = () => {
					return new Promise((_resolve, _reject) => {
						connection.off("unix connection", handler);
						connection.openssh_unforwardInStreamLocal(socketPath, (_error) => {
							if (_error) _reject(_error);
							_resolve();
						});
					});
				};
				resolve({ dispose });
			});
		});
	}
	forwardOutStreamLocal(socketPath) {
		const connection = this.getConnection();
		return new Promise((resolve, reject) => {
			connection.openssh_forwardOutStreamLocal(socketPath, (error, channel) => {
				if (error) {
					reject(error);
					return;
				}
				resolve(channel);
			});
		});
	}
	dispose() {
		if (this.connection) {
			this.connection.end();
			this.connection = null;
		}
	}
};

// src/ssh/host-key-policy.ts
/** Who `host` must prove to be. Trusts nobody where `trust` is empty. */
function hostKeyPolicy(trust, host) {
	const found = lookUp(trust.knownHosts ?? [], host);
	const onRecord = require_run.algorithmsFor(new Set(found.trusted.map((entry) => entry.keyType)));
	return {
		algorithms: onRecord.length > 0 ? onRecord : [...require_run.MODERN_ALGORITHMS],
		judge: (key) => {
			const message = objection(trust, found, key);
			return message === void 0 ? { ok: true } : {
				ok: false,
				message
			};
		}
	};
}
function lookUp(entries, host) {
	const names = require_run.lookupNames(host);
	const about = entries.filter((entry) => require_run.matchesHost(entry.hosts, names));
	const bare = host.name.toLowerCase();
	return {
		name: names[0] ?? bare,
		trusted: about.filter((entry) => entry.marker === "none"),
		revoked: about.filter((entry) => entry.marker === "revoked"),
		authorities: about.filter((entry) => entry.marker === "cert-authority"),
		otherPorts: entries.filter((entry) => entry.marker === "none" && namesAnotherPort(entry, bare))
	};
}
function namesAnotherPort(entry, bare) {
	if (entry.hosts.kind === "hashed") return require_run.matchesHost(entry.hosts, [bare]);
	return entry.hosts.allowed.some((pattern) => pattern === bare || pattern.startsWith(`[${bare}]:`));
}
/** Undefined: the key is to be trusted. */
function objection(trust, found, key) {
	const revoked = found.revoked.find((entry) => entry.key.equals(key));
	if (revoked !== void 0) return revokedMessage(found, revoked);
	if (trust.knownHosts === void 0 && trust.pins.length === 0) return unknownMessage(found, key);
	const byRecord = trust.knownHosts === void 0 ? void 0 : recordObjection(found, key);
	if (trust.pins.length === 0 || trust.pins.includes(require_run.fingerprintOf(key))) return byRecord !== void 0 && trust.pins.length > 0 ? `${byRecord} The input fingerprint names this key, but where both are given both must agree.` : byRecord;
	return byRecord ?? pinMessage(trust, found, key);
}
function recordObjection(found, key) {
	if (found.trusted.length === 0) return unknownMessage(found, key);
	return found.trusted.some((entry) => entry.key.equals(key)) ? void 0 : mismatchMessage(found, key);
}
function mismatchMessage(found, key) {
	const expected = found.trusted.map((entry) => `${described(entry.key)}, known-hosts line ${entry.line}`);
	return `the host key of ${found.name} is not the one on record: expected ${expected.join(" or ")}; found ${described(key)}. Either the host got a new key, or the name now leads to another machine, or somebody stands in between. Before the record is changed, ${howToCompare(key)}.`;
}
function unknownMessage(found, key) {
	return `no known-hosts line and no fingerprint vouches for this host (looked up: ${found.name}).${hints(found)} The server shows ${described(key)}; before it is put on record, ${howToCompare(key)}.`;
}
function hints(found) {
	const authority = found.authorities[0];
	if (authority !== void 0) return ` Line ${authority.line} names a @cert-authority for it, which is unsupported by this transport: list the host's own key, or use transport: openssh.`;
	const other = found.otherPorts[0];
	if (other === void 0) return "";
	return ` Line ${other.line} is about the same name at another port, which says nothing about this one.`;
}
function revokedMessage(found, entry) {
	return `the host key of ${found.name} is revoked: known-hosts line ${entry.line} (@revoked) names ${described(entry.key)}, and that is the key found. Expected any other: give the host a new key.`;
}
function pinMessage(trust, found, key) {
	const both = trust.knownHosts === void 0 ? "" : " known-hosts has this key, but where both are given both must agree.";
	return `the host key of ${found.name} is not a pinned one: expected ${trust.pins.join(" or ")} (input fingerprint); found ${described(key)}.${both} Before the pin is changed, ${howToCompare(key)}.`;
}
function described(key) {
	return `${require_run.fingerprintOf(key)} (${require_run.keyTypeOf(key)})`;
}
function howToCompare(key) {
	const type = require_run.keyTypeOf(key);
	return `compare with what \`ssh-keygen -lf /etc/ssh/ssh_host_${type.includes(" ") ? "*" : type.replace(/^ssh-|-sha2-.*$/g, "")}_key.pub\` prints on the host itself, reached another way (its console, the provider's panel)`;
}

// src/connection/diagnosis.ts
function diagnose(seen) {
	if (seen.objection !== void 0) return hostKeyFailure(seen, seen.objection);
	if (require_errors.messageOf(seen.error).includes("no matching host key format")) return hostKeyFailure(seen, otherKeyTypes(seen));
	if (errorLevel(seen.error) === "client-timeout") return timeoutFailure(seen);
	const network = require_run.networkFault(seen.error);
	if (network.transient) return unreachable(seen, network.finding, true);
	return seen.handshakeDone ? loginFailure(seen) : handshakeFailure(seen);
}
function unreachable(seen, finding, transient) {
	return {
		reason: "unreachable",
		sentence: `expected an SSH server; found ${finding}`,
		transient,
		cause: seen.error
	};
}
function hostKeyFailure(seen, sentence) {
	return {
		reason: "host-key",
		sentence,
		transient: false,
		cause: seen.error
	};
}
function otherKeyTypes(seen) {
	return `${`expected a host key of a type on record (${seen.hostKeyAlgorithms.join(", ")})`}; found a server that has only ${offersOf(seen, "Host key format")}`;
}
function timeoutFailure(seen) {
	return unreachable(seen, `TCP connected, but ${seen.handshakeDone ? "the login did not come to an end" : "it did not get through the SSH handshake"} in time`, false);
}
function handshakeFailure(seen) {
	const message = require_errors.messageOf(seen.error);
	const nothing = /no matching (?:key exchange algorithm|\S+ \w+)/.exec(message);
	if (nothing !== null) {
		const offers = seen.serverOffers.join("; ");
		return unreachable(seen, `one with which no safe algorithm is shared (${nothing[0]}; it offers ${offers})`, false);
	}
	if (/before handshake|No response from server/.test(message)) return unreachable(seen, "it closed the connection at once (too many logins at the same time, or a block list)", true);
	if (/identification string|expected newline/.test(message)) return unreachable(seen, "something that does not speak SSH 2", false);
	return unreachable(seen, `the SSH handshake failed: ${message}`, false);
}
function loginFailure(seen) {
	return {
		reason: "auth",
		sentence: `expected to log in as ${seen.login.user} with ${seen.login.offered}; found ${loginFinding(seen)}`,
		transient: false,
		cause: seen.error
	};
}
function loginFinding(seen) {
	const message = require_errors.messageOf(seen.error);
	if (errorLevel(seen.error) === "agent") return `the agent failed: ${message}`;
	const allowed = seen.login.allowed.length === 0 ? "" : ` (the server allows: ${seen.login.allowed.join(", ")})`;
	if (/too many authentication failures/i.test(message)) return "the server gave up after too many keys: give the one key as the input `key`, or an agent with fewer keys";
	if (seen.login.partial) return `the key is accepted, but the server demands a second proof${allowed}`;
	if (message === "All configured authentication methods failed") return `refused${allowed}`;
	return require_run.errorCode(seen.error) === "" && /No response/.test(message) ? "the server hung up" : `${message}${allowed}`;
}
function offersOf(seen, what) {
	const prefix = `(remote) ${what}: `;
	const line = seen.serverOffers.find((offer) => offer.startsWith(prefix));
	return line === void 0 ? "others" : line.slice(prefix.length).replaceAll(",", ", ");
}
function errorLevel(error) {
	return error instanceof Error && "level" in error ? error.level : void 0;
}

// src/connection/link.ts
/** Half a second for the goodbye to leave; a peer that does not read any more must not hold the process. */
const GOODBYE = 500;
/** Takes over a client that has just logged in on `socket`. */
function keepLink(client, socket, keepalive) {
	const controller = new AbortController();
	const listeners = /* @__PURE__ */ new Set();
	let over;
	const finish = (cause) => {
		if (over !== void 0) return false;
		over = cause;
		stopWatching();
		for (const listener of listeners) listener(cause);
		listeners.clear();
		return true;
	};
	const lose = (cause) => {
		if (over !== void 0) return;
		controller.abort(cause);
		finish(cause);
		socket.destroy();
	};
	const stopWatching = watchPulse(socket, keepalive, lose);
	client.on("error", (error) => lose(causeOf(error)));
	client.on("end", () => lose("the server closed the connection"));
	client.on("close", () => lose("the connection was closed"));
	if (socket.destroyed || socket.readableEnded) lose("the server closed the connection");
	return {
		lost: controller.signal,
		get over() {
			return over;
		},
		onOver(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		close() {
			if (finish("the connection was closed by this run")) sayGoodbye(client, socket);
		}
	};
}
/**
* ssh2 sends the pings but counts their answers only, which queue behind an upload on a slow line: any byte from the
* server is a sign of life here.
*/
function watchPulse(socket, keepalive, lose) {
	let seen = socket.bytesRead;
	let silent = 0;
	const timer = setInterval(() => {
		silent = socket.bytesRead === seen ? silent + 1 : 0;
		seen = socket.bytesRead;
		if (silent > keepalive.count) lose(`no sign of life for ${keepalive.interval * silent / 1e3} s`);
	}, keepalive.interval);
	return () => clearInterval(timer);
}
function sayGoodbye(client, socket) {
	client.end();
	const timer = setTimeout(() => socket.destroy(), GOODBYE);
	timer.unref();
	socket.once("close", () => clearTimeout(timer));
	socket.destroySoon();
}
function causeOf(error) {
	const fault = require_run.networkFault(error);
	return fault.transient ? fault.finding : require_errors.messageOf(error);
}

// src/connection/login.ts
/** A sentence where there is nothing to log in with. The key where one is given, else the agent. Passwords, keyboard-interactive and agent forwarding are never used. */
function prepareLogin(user, ssh) {
	const credential = ssh.key === void 0 ? agentCredential(user, ssh) : keyCredential(user, ssh);
	if (typeof credential === "string") return credential;
	let tried = false;
	const login = {
		user,
		offered: credential.offered,
		allowed: [],
		partial: false
	};
	const handler = (allowed, partial) => {
		login.allowed = allowed ?? [];
		login.partial = partial === true;
		if (tried) return false;
		tried = true;
		return credential.method;
	};
	return Object.assign(login, { handler });
}
function keyCredential(user, ssh) {
	const [key] = [import_lib.default.utils.parseKey(ssh.key ?? "", ssh.passphrase)].flat();
	if (key === void 0 || key instanceof Error) return `expected a private key that can be read; found ${key?.message ?? "none"}`;
	const offered = `the given key (${key.type}, ${require_run.fingerprintOf(key.getPublicSSH())})`;
	return {
		method: {
			type: "publickey",
			username: user,
			key: withoutSha1(key)
		},
		offered
	};
}
const SHA1_ONLY = "the server takes RSA keys with SHA-1 signatures only, which are refused: use an ed25519 key";
/** ssh2 falls back to SHA-1 where a server does not say which signatures it accepts; this ends the login instead. */
function withoutSha1(key) {
	const sign = key.sign.bind(key);
	return Object.assign(key, { sign: (data, algorithm) => {
		if (algorithm === "sha1") throw new Error(SHA1_ONLY);
		return sign(data, algorithm);
	} });
}
function agentCredential(user, ssh) {
	if (ssh.agent === void 0 || ssh.agent === "") return "expected a private key or an SSH agent to log in with; found neither";
	const agent = import_lib.default.createAgent(ssh.agent);
	const sign = agent.sign.bind(agent);
	Object.assign(agent, { sign: (key, data, options, done) => {
		if (options.hash === "sha1") done?.(/* @__PURE__ */ new Error(SHA1_ONLY));
		else sign(key, data, options, done);
	} });
	const offered = `the keys of the agent at ${ssh.agent} (certificates and security keys in it are not usable here)`;
	return {
		method: {
			type: "agent",
			username: user,
			agent
		},
		offered
	};
}

// src/connection/exec-channel.ts
/** Gives a running command of ssh2 the manners of the port: its end is always told, and nothing waits for ever. */
function execChannel(raw, link) {
	const stdin = stdinOf(raw);
	const { promise: ended, resolve } = Promise.withResolvers();
	let exit;
	const finish = (end) => {
		forget();
		resolve(end);
		if (!stdin.writableFinished) stdin.destroy(new Error(NOT_READ));
	};
	const forget = link.onOver((cause) => finish({
		kind: "lost",
		cause
	}));
	raw.on("error", ignore$1);
	raw.stderr.on("error", ignore$1);
	raw.on("exit", (code, signal) => {
		if (code !== null) exit = {
			kind: "exit",
			code
		};
		else if (signal !== void 0) exit = {
			kind: "signal",
			signal
		};
	});
	raw.on("close", () => finish(exit ?? {
		kind: "lost",
		cause: "the channel closed without telling how the command ended"
	}));
	const abort = () => {
		finish({
			kind: "lost",
			cause: "given up by this run"
		});
		kill(raw);
		raw.close();
	};
	return {
		stdin,
		stdout: raw,
		stderr: raw.stderr,
		ended,
		abort
	};
}
/**
* Ends the process group of the login's program, which may neither read its input nor write. ssh2's own `signal` does
* nothing once the input was ended, which RFC 4254 (6.9) does not ask for.
*
* OpenSSH refuses this where the command was forced on the login, and where root logs in to one that does not separate
* privileges then, such as 9.2 (session.c, session_signal_req). No other request ends a process. What reads its input or
* writes ends with the channel all the same; what only waits goes on until it ends by itself, also after the connection.
* Processes of others (root's, behind sudo) and other process groups are not reached either: they find their input ended.
*/
function kill(raw) {
	const { outgoing, _client: client } = raw;
	if (outgoing.state === "open" || outgoing.state === "eof") client._protocol.signal(outgoing.id, "KILL");
}
const NOT_READ = "the command does not read its input any more";
function stdinOf(raw) {
	return new node_stream.Writable({
		highWaterMark: 262144,
		write: (chunk, _encoding, done) => {
			if (raw.writable) raw.write(chunk, (error) => done(error));
			else done(/* @__PURE__ */ new Error(NOT_READ));
		},
		final: (done) => {
			raw.end();
			done();
		}
	}).on("error", ignore$1);
}
/** A stream's fault is told by `ended`; without a listener it would end the process. */
function ignore$1() {}

// src/connection/tunnel.ts
/**
* A forwarded connection as a stream that can be destroyed and that closes, like a socket: ssh2's own cannot. A lost
* link destroys it with a DialError of the kind `lost`, `close()` without an error.
*/
function tunnelStream(raw, link) {
	const stream = new node_stream.Duplex({
		allowHalfOpen: false,
		read: () => raw.resume(),
		write: (chunk, _encoding, done) => {
			raw.write(chunk, (error) => done(error));
		},
		final: (done) => {
			raw.end();
			done();
		},
		destroy: (error, done) => {
			forget();
			raw.close();
			raw.resume();
			done(error);
		}
	});
	const forget = link.onOver((cause) => stream.destroy(link.lost.aborted ? new require_run.DialError("lost", cause) : void 0));
	raw.on("error", (error) => stream.destroy(error));
	raw.on("data", (chunk) => {
		if (!stream.destroyed && !stream.push(chunk)) raw.pause();
	});
	raw.on("end", () => stream.push(null));
	raw.on("close", () => {
		if (!stream.writableFinished) stream.destroy();
	});
	return stream;
}
/** What a refusal to open a channel to `to` says about the service there (RFC 4254, section 5.1). */
function dialError(error, link, to) {
	const place = `${to.host}:${to.port}`;
	const message = require_errors.messageOf(error);
	if (link.over !== void 0) return new require_run.DialError("lost", `cannot reach ${place} through the target: ${link.over}`);
	const reason = error instanceof Error && "reason" in error ? error.reason : void 0;
	if (reason === CONNECT_FAILED) return new require_run.DialError("refused", `${place} as seen on the target: ${message}`);
	if (reason === PROHIBITED || reason === UNKNOWN_TYPE) return new require_run.DialError("denied", `the target's SSH server does not allow a connection to ${place}: ${message}`);
	return new require_run.DialError("lost", `the target's SSH server could not open a connection to ${place}: ${message}`);
}
const PROHIBITED = 1;
const CONNECT_FAILED = 2;
const UNKNOWN_TYPE = 3;

// src/connection/session.ts
/** A logged-in client as the port: commands and forwarded connections, for as long as `link` holds. */
function openSession(client, link, about) {
	return {
		lost: link.lost,
		roundTripMs: about.roundTripMs,
		close: () => link.close(),
		start: async (command) => {
			try {
				return await opened((done) => client.exec(command, done), (raw) => execChannel(raw, link));
			} catch (error) {
				throw startError(error, link, about.place);
			}
		},
		dial: async (to) => {
			try {
				return await opened((done) => client.forwardOut("127.0.0.1", 0, to.host, to.port, done), (raw) => tunnelStream(raw, link));
			} catch (error) {
				throw dialError(error, link, to);
			}
		}
	};
}
/**
* Rejects as well where ssh2 throws at once, because the link is gone already. `wrap` runs within the callback: a short
* command's exit may lie in the same packet as the confirmation, and nobody would listen to it a microtask later.
*/
function opened(open, wrap) {
	return new Promise((resolve, reject) => {
		open((error, channel) => error ? reject(error) : resolve(wrap(channel)));
	});
}
function startError(error, link, place) {
	const expected = `${place}: expected to start a command`;
	if (link.over !== void 0) return new require_errors.UpgradeError("connection-lost", `${expected}; found ${link.over}`, { cause: error });
	const message = `${expected}; the SSH server refused: ${require_errors.messageOf(error)}`;
	return new require_errors.UpgradeError("internal", message, { cause: error });
}

// src/connection/library.ts
const TRIES = 3;
const FIRST_PAUSE = 250;
const KEEPALIVE = {
	interval: 5e3,
	count: 3
};
/** What is offered besides host keys: nothing with SHA-1, CBC, ChaCha20 or a MAC over the plaintext. */
const ALGORITHMS = {
	kex: [
		"curve25519-sha256",
		"curve25519-sha256@libssh.org",
		"ecdh-sha2-nistp256",
		"ecdh-sha2-nistp384",
		"ecdh-sha2-nistp521",
		"diffie-hellman-group16-sha512",
		"diffie-hellman-group18-sha512",
		"diffie-hellman-group14-sha256"
	],
	cipher: [
		"aes128-gcm@openssh.com",
		"aes256-gcm@openssh.com",
		"aes128-ctr",
		"aes192-ctr",
		"aes256-ctr"
	],
	hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"],
	compress: ["none"]
};
/**
* Logs in over node-ssh. Rejects with UpgradeError: `unreachable`, `host-key`, `auth`. Only connecting is tried again,
* three times at most and all within `connectTimeout`, and only after faults that pass by themselves.
*/
async function connectLibrary(options) {
	const policy = policyOf(options);
	const deadline = performance.now() + options.ssh.connectTimeout;
	for (let tried = 1;; tried++) {
		const opening = tried === 1 ? options.opening : void 0;
		const attempt = await connectOnce(options, {
			policy,
			timeLeft: deadline - performance.now(),
			opening
		});
		if ("connection" in attempt) return attempt.connection;
		const { failure } = attempt;
		const wait = FIRST_PAUSE * 2 ** (tried - 1) * (.5 + Math.random());
		if (!failure.transient || tried === TRIES || performance.now() + wait >= deadline) throw upgradeError(options, failure, tried);
		options.log?.(`${placeOf(options)}: ${failure.sentence}; trying again (${tried + 1} of ${TRIES})`);
		await (0, node_timers_promises.setTimeout)(wait);
	}
}
function policyOf(options) {
	const { knownHosts: text, fingerprints: pins } = options.ssh;
	const known = text === void 0 ? void 0 : require_run.parseKnownHosts(text);
	if (known !== void 0 && known.problems.length > 0) throw new require_errors.UpgradeError("host-key", `${placeOf(options)}: expected usable known-hosts; found ${known.problems.join("; ")}`);
	return hostKeyPolicy({
		pins,
		...known === void 0 ? {} : { knownHosts: known.entries }
	}, {
		name: options.host,
		port: options.port
	});
}
async function connectOnce(options, given) {
	const login = prepareLogin(options.user, options.ssh);
	if (typeof login === "string") return { failure: nothingToOffer(login) };
	const started = performance.now();
	let open;
	try {
		open = await (given.opening ?? require_run.openSocket(options, given.timeLeft));
		if (open.socket.destroyed) throw open.socket.errored ?? /* @__PURE__ */ new Error("the connection was closed at once");
	} catch (error) {
		const { finding, transient } = require_run.networkFault(error);
		return { failure: unreachable({ error }, finding, transient) };
	}
	const timeLeft = Math.max(1, given.timeLeft - (performance.now() - started));
	return logIn({
		options,
		policy: given.policy,
		login,
		open,
		timeLeft
	});
}
function nothingToOffer(sentence) {
	return {
		reason: "auth",
		sentence,
		transient: false,
		cause: void 0
	};
}
async function logIn(given) {
	const { options, policy, login } = given;
	const { socket, roundTripMs } = given.open;
	const seen = {
		objection: void 0,
		handshakeDone: false,
		serverOffers: []
	};
	require_run.coalesceWrites(socket);
	const ssh = new NodeSSH();
	const connecting = ssh.connect({
		sock: socket,
		username: options.user,
		algorithms: {
			...ALGORITHMS,
			serverHostKey: policy.algorithms
		},
		hostVerifier: (key) => {
			const verdict = policy.judge(key);
			if (!verdict.ok) seen.objection = verdict.message;
			return verdict.ok;
		},
		authHandler: login.handler,
		readyTimeout: given.timeLeft,
		keepaliveInterval: (options.keepalive ?? KEEPALIVE).interval,
		keepaliveCountMax: Number.MAX_SAFE_INTEGER,
		debug: (line) => noteOffer(line, seen.serverOffers)
	});
	const client = ssh.connection;
	client?.on("error", ignore);
	client?.on("handshake", () => {
		seen.handshakeDone = true;
	});
	try {
		await connecting;
	} catch (error) {
		socket.destroy();
		return { failure: diagnose({
			...seen,
			error,
			hostKeyAlgorithms: policy.algorithms,
			login
		}) };
	}
	if (client === null) return { failure: unreachable({ error: void 0 }, "the connection ended while logging in", true) };
	const link = keepLink(client, socket, options.keepalive ?? KEEPALIVE);
	return { connection: openSession(client, link, {
		place: placeOf(options),
		roundTripMs
	}) };
}
function upgradeError(options, failure, tried) {
	const times = tried === 1 ? "" : ` (${tried} tries)`;
	const message = `${placeOf(options)}: ${failure.sentence}${times}`;
	return new require_errors.UpgradeError(failure.reason, message, { cause: failure.cause });
}
function placeOf(options) {
	return options.host.includes(":") ? `[${options.host}]:${options.port}` : `${options.host}:${options.port}`;
}
function noteOffer(line, offers) {
	if (line.startsWith("Handshake: (remote) ")) offers.push(line.slice(11));
}
function ignore() {}

exports.connectLibrary = connectLibrary;