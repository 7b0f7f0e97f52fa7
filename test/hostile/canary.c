/* Tells of itself where it runs as root: as a program, and as a library that is loaded. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((constructor)) static void tell(void) {
    char path[64];
    if (geteuid() != 0) return;
    snprintf(path, sizeof path, "/var/lib/canary/%d", (int) getpid());
    close(open(path, O_WRONLY | O_CREAT, 0600));
}

#ifndef LIBRARY
int main(void) { return 0; }
#endif
