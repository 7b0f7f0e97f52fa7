/** A deliberately broken or different nginx: the 1.26.3 source with a line or two changed before building. */
export const VARIANTS = [
  'worker-segv',
  'master-hangs',
  'exits-at-start',
  'turns-red',
  'complains',
  'other-conf-path',
  'other-pid-path',
  'big',
  'privileged-agent',
  'odd-names',
  'own-userns',
] as const;
export type Variant = (typeof VARIANTS)[number];

export interface Edit {
  /** Below the source tree. */
  file: string;
  find: string;
  replace: string;
}

const PROCESS_CYCLE = 'src/os/unix/ngx_process_cycle.c';
const WORKER_READY = '    ngx_worker_process_init(cycle, worker);\n';
const INIT_CYCLE = { file: 'src/core/ngx_cycle.c', find: '    ngx_timezone_update();\n' };
const RUN_PHASES = 'void\nngx_http_core_run_phases(ngx_http_request_t *r)\n{\n';
/** Only the executed successor of a running master has this set, so `-t` and `-V` still work. */
const IS_SUCCESSOR = 'getenv("NGINX") != NULL && !ngx_test_config';

/** What each variant changes. Files of `configured` are compiled again because a configured path changed. */
export const EDITS: Record<Variant, Edit[]> = {
  'worker-segv': [{ file: PROCESS_CYCLE, find: WORKER_READY, replace: `${WORKER_READY}    raise(SIGSEGV);\n` }],
  'master-hangs': [{ ...INIT_CYCLE, replace: `    if (${IS_SUCCESSOR}) { for ( ;; ) { pause(); } }\n` }],
  'exits-at-start': [{ ...INIT_CYCLE, replace: `    if (${IS_SUCCESSOR}) { exit(1); }\n` }],
  'turns-red': [
    { file: PROCESS_CYCLE, find: WORKER_READY, replace: `${WORKER_READY}    ngx_worker_started = ngx_current_msec;\n` },
    {
      file: PROCESS_CYCLE,
      find: 'static void ngx_worker_process_cycle(',
      replace: 'ngx_msec_t  ngx_worker_started;\n\nstatic void ngx_worker_process_cycle(',
    },
    {
      file: 'src/http/ngx_http_core_module.c',
      find: `${RUN_PHASES}    ngx_int_t                   rc;\n`,
      replace: `extern ngx_msec_t  ngx_worker_started;\n\n${RUN_PHASES}    ngx_int_t                   rc;

    if (ngx_current_msec - ngx_worker_started >= 2000) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

`,
    },
  ],
  complains: [
    {
      file: 'src/http/ngx_http_core_module.c',
      find: `${RUN_PHASES}    ngx_int_t                   rc;\n`,
      replace: `${RUN_PHASES}    ngx_int_t                   rc;

    ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0, "zero size buf in a test");
`,
    },
  ],
  'other-conf-path': configured('/etc/nginx/nginx.conf', '/etc/nginx-other/nginx.conf'),
  'other-pid-path': configured('/run/nginx.pid', '/run/nginx-other.pid'),
  // OpenResty's is a process of the same make as the cache manager, with this title.
  'privileged-agent': [{ file: PROCESS_CYCLE, find: '"cache manager process"', replace: '"privileged agent process"' }],
  // As a worker may call itself, by prctl(2): read by lines, its /proc/PID/stat then ends in the middle.
  'odd-names': [
    {
      file: PROCESS_CYCLE,
      find: WORKER_READY,
      replace: `${WORKER_READY}    prctl(PR_SET_NAME, "a\\nb) S 1", 0, 0, 0);\n`,
    },
  ],
  // What code of the user does that a master runs as, a module or a broken worker: in a user namespace of his own he has every capability.
  'own-userns': [
    {
      file: PROCESS_CYCLE,
      find: 'void\nngx_master_process_cycle(ngx_cycle_t *cycle)\n{\n',
      replace: `static void
ngx_say(char *path, char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd == -1 || write(fd, text, ngx_strlen(text)) == -1) {
        exit(7);
    }

    close(fd);
}

static void
ngx_be_root_of_nobody(void)
{
    int                               n;
    u_char                            map[64];
    struct __user_cap_data_struct     data[2];
    struct __user_cap_header_struct   header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    int                               uid = geteuid(), gid = getegid();

    if (syscall(SYS_unshare, 0x10000000) == -1) { /* CLONE_NEWUSER */
        exit(8);
    }

    ngx_say("/proc/self/setgroups", "deny");
    *ngx_sprintf(map, "%d %d 1", uid, uid) = 0;
    ngx_say("/proc/self/uid_map", (char *) map);
    *ngx_sprintf(map, "%d %d 1", gid, gid) = 0;
    ngx_say("/proc/self/gid_map", (char *) map);

    syscall(SYS_capget, &header, data);
    data[0].inheritable = data[0].permitted;
    syscall(SYS_capset, &header, data);

    for (n = 0; n < 32; n++) {
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0);
    }
}

void
ngx_master_process_cycle(ngx_cycle_t *cycle)
{
    if (getenv("NGINX") == NULL && geteuid() != 0) {
        ngx_be_root_of_nobody();
    }
`,
    },
  ],
  big: [
    {
      file: 'src/core/nginx.c',
      find: 'int ngx_cdecl\nmain(',
      replace: `__asm__(".pushsection .rodata\\n.incbin \\"padding\\"\\n.popsection");\n\nint ngx_cdecl\nmain(`,
    },
  ],
};

/** Configuring again would compile everything again (25 s); these two files are all that use the paths. */
function configured(find: string, replace: string): Edit[] {
  return [
    { file: 'objs/ngx_auto_config.h', find, replace },
    { file: 'src/core/nginx.c', find: '', replace: '' },
    { file: 'src/core/ngx_cycle.c', find: '', replace: '' },
  ];
}
