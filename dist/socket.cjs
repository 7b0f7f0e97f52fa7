const require_run = require("./run.cjs");
let node_net = require("node:net");

// src/connection/socket.ts
/** Connects within `timeout`; rejects with the system's error, or one with the code `ETIMEDOUT`. */
function openSocket(to, timeout) {
	return new Promise((resolve, reject) => {
		const socket = (0, node_net.connect)({
			host: to.host,
			port: to.port,
			noDelay: true
		});
		let started = performance.now();
		socket.on("connectionAttempt", () => {
			started = performance.now();
		});
		const timer = setTimeout(() => socket.destroy(timedOut()), timeout);
		socket.on("error", (error) => {
			clearTimeout(timer);
			reject(error);
		});
		socket.once("connect", () => {
			clearTimeout(timer);
			resolve({
				socket,
				roundTripMs: performance.now() - started
			});
		});
	});
}
/**
* ssh2 writes each packet in up to three pieces, which TCP_NODELAY would turn into as many segments: whatever is
* written within one tick leaves in one system call instead.
*/
function coalesceWrites(socket) {
	const original = socket.write.bind(socket);
	let corked = false;
	const release = () => {
		corked = false;
		socket.uncork();
	};
	const write = (...args) => {
		if (!corked) {
			corked = true;
			socket.cork();
			process.nextTick(release);
		}
		return Reflect.apply(original, void 0, args);
	};
	Object.assign(socket, { write });
}
const FAULTS = {
	ECONNREFUSED: {
		finding: "the connection was refused: nothing listens there, or a firewall says no",
		transient: true
	},
	ECONNRESET: {
		finding: "the connection was reset",
		transient: true
	},
	EPIPE: {
		finding: "the connection was closed",
		transient: true
	},
	ETIMEDOUT: {
		finding: "no answer at all: wrong address, host down, or a firewall that drops packets",
		transient: true
	},
	EHOSTUNREACH: {
		finding: "no route to that host",
		transient: true
	},
	ENETUNREACH: {
		finding: "no route to that network",
		transient: true
	},
	EAI_AGAIN: {
		finding: "the name could not be looked up: DNS gave no answer",
		transient: true
	},
	ENOTFOUND: {
		finding: "the name has no address (DNS)",
		transient: false
	}
};
/** What a failed connection means, in words. */
function networkFault(error) {
	const first = error instanceof AggregateError ? error.errors[0] : error;
	return FAULTS[errorCode(error)] ?? FAULTS[errorCode(first)] ?? {
		finding: require_run.messageOf(first),
		transient: false
	};
}
function errorCode(error) {
	const code = error instanceof Error && "code" in error ? error.code : void 0;
	return typeof code === "string" ? code : "";
}
function timedOut() {
	return Object.assign(/* @__PURE__ */ new Error("no answer in time"), { code: "ETIMEDOUT" });
}

Object.defineProperty(exports, "coalesceWrites", {
  enumerable: true,
  get: function () {
    return coalesceWrites;
  }
});
Object.defineProperty(exports, "errorCode", {
  enumerable: true,
  get: function () {
    return errorCode;
  }
});
Object.defineProperty(exports, "networkFault", {
  enumerable: true,
  get: function () {
    return networkFault;
  }
});
Object.defineProperty(exports, "openSocket", {
  enumerable: true,
  get: function () {
    return openSocket;
  }
});