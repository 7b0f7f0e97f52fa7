/** The target said no before anything was asked: no shell, no sudo. `code` is a preflight code. */
export class HelperRefused extends Error {
  override readonly name = 'HelperRefused';
  readonly code: 'sudo-denied' | 'shell-denied';
  /** Nothing was said either way: a host under heavy load may be like that for a while. */
  readonly mayPass: boolean;

  constructor(code: HelperRefused['code'], message: string, { mayPass = false } = {}) {
    super(message);
    this.code = code;
    this.mayPass = mayPass;
  }
}
