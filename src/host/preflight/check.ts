import type { Facts, MasterFacts } from '../../target/facts.ts';
import type { Needs } from '../../binary/elf-needs.ts';
import type { BuildInfo } from '../../nginx/build-info.ts';

/** What a check found, why it matters and how to mend it; undefined: nothing. `mild`: here it does not refuse. */
export type Found = { message: string; fix: string; mild?: boolean } | undefined;

/** A check that needs nothing but the host. */
export interface HostCheck {
  code: string;
  check: (facts: Facts) => Found;
}

/** A check of the running master. */
export interface MasterCheck {
  code: string;
  check: (master: MasterFacts, facts: Facts) => Found;
}

/** The new file: what the runner knows of it before the upload, or what the target said of it after. */
export interface Candidate {
  sha256: string;
  /** Bytes. */
  size: number;
  build: BuildInfo;
  /** `uname -m` of the machines that it runs on; undefined where the ELF header names one that we do not know. */
  machine?: string;
  /** The loader that it asks for; undefined where it is static or unknown. */
  interpreter?: string;
  needs?: Needs;
  /** Dynamic modules that go with it; undefined: those that are kept with it on the target, whichever they are. */
  modules: { name: string }[] | undefined;
}

/** A check of the new file against the running master. */
export interface CandidateCheck {
  code: string;
  check: (candidate: Candidate, context: { master: MasterFacts; facts: Facts; allowDowngrade: boolean }) => Found;
}
