/* What the programs have in common: each scenario with each front end, and a table of it. */
#ifndef FRONTENDS_MAIN_H
#define FRONTENDS_MAIN_H
#include "play.h"
#include "random.h"
#include "scenarios.h"
#include "callbacks.h"
#include "drained.h"
#include "stepped.h"

#define SEEDS 300

/* `mark` begins each line of the table. */
static void play_everything(const front_end *const *front_ends, int count, const char *mark) {
    scenario made;
    size_t i;
    int j, steps = 0;
    for (i = 0; i < COUNT(scenarios); i++) {
        int lines = play_all(&scenarios[i], front_ends, count);
        CHECK(lines > 3);
        printf("%s %-60s %3d steps", mark, scenarios[i].name, lines);
        for (j = 0; j < count; j++) printf(" %s", front_ends[j]->name);
        puts(" equal");
    }
    for (j = 0; j < SEEDS; j++) {
        char name[32];
        make_random(&made, (uint64_t)j);
        snprintf(name, sizeof name, "seed %d", j);
        made.name = name;
        steps += play_all(&made, front_ends, count);
    }
    printf("%s %d random scenarios of fixed seeds: %d steps, all equal\n", mark, SEEDS, steps);
}

#endif
