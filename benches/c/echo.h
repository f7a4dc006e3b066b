/* The echo work: servers, one client, and both together. */
#ifndef ROTA_BENCH_ECHO_H
#define ROTA_BENCH_ECHO_H

#include "rota.h"

typedef struct {
    uint64_t spent_ns;    /* CPU time of the server, between warm-up and end */
    uint64_t allocations; /* of the server, in that time */
} bench_echo_figures;

/* Serves until its last connection ends; the port goes to `port_to` as text. */
int bench_echo_server(const char *contestant, int port_to);
/* `requests` in all over `count` connections; `steady` is called before and after them. */
int bench_echo_client(int port, int count, uint64_t requests, void (*steady)(void));
/* One round of both. The server counts its allocations in `shared_allocations`. */
bool bench_echo(const char *contestant, int count, uint64_t requests,
                volatile uint64_t *shared_allocations, bench_echo_figures *figures);

#endif
