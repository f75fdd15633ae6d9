/* The app of the benchmarks: says when its first instruction ran, and waits for its end. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int fd = argc > 1 ? open(argv[1], O_WRONLY) : 1;
    dprintf(fd, "%lld %d\n", now.tv_sec * 1000000000LL + now.tv_nsec, (int)getpid());
    close(fd);
    for (;;) pause();
}
