// src/errors.ts
/** Reasons for which a target was not brought to what was asked for (contract, section 5). */
const REASONS = [
	"refused",
	"unhealthy",
	"inconclusive",
	"not-ready",
	"new-master-died",
	"workers-crashing",
	"error-log",
	"cancelled",
	"guard-expired",
	"connection-lost",
	"unreachable",
	"host-key",
	"auth",
	"upload-failed",
	"changed-by-others",
	"outage",
	"internal"
];
/**
* One step on one target that did not work.
* `message` says what was expected and what was found; `state` the state left behind, where it is known already.
*/
var UpgradeError = class extends Error {
	name = "UpgradeError";
	reason;
	state;
	constructor(reason, message, options = {}) {
		super(message, options.cause === void 0 ? {} : { cause: options.cause });
		this.reason = reason;
		this.state = options.state;
	}
};
/** Said no before anything was touched, or with what was staged removed again. */
var Refused = class extends Error {
	name = "Refused";
	findings;
	constructor(findings) {
		super(findings.map(({ code, message }) => `${code}: ${message}`).join("; "));
		this.findings = findings;
	}
};
/** Another actor (the guard, another run) decided about this upgrade, and is carrying it out. */
var DecidedElsewhere = class extends Error {
	name = "DecidedElsewhere";
};
/** All mistakes in the inputs, found before anything is touched. */
var InputError = class extends Error {
	name = "InputError";
	problems;
	constructor(problems) {
		super(problems.map((problem) => `${problem.input}: ${problem.message}`).join("\n"));
		this.problems = problems;
	}
};
function messageOf(error) {
	return error instanceof Error ? error.message : String(error);
}

Object.defineProperty(exports, "DecidedElsewhere", {
  enumerable: true,
  get: function () {
    return DecidedElsewhere;
  }
});
Object.defineProperty(exports, "InputError", {
  enumerable: true,
  get: function () {
    return InputError;
  }
});
Object.defineProperty(exports, "REASONS", {
  enumerable: true,
  get: function () {
    return REASONS;
  }
});
Object.defineProperty(exports, "Refused", {
  enumerable: true,
  get: function () {
    return Refused;
  }
});
Object.defineProperty(exports, "UpgradeError", {
  enumerable: true,
  get: function () {
    return UpgradeError;
  }
});
Object.defineProperty(exports, "messageOf", {
  enumerable: true,
  get: function () {
    return messageOf;
  }
});