/* Header and library are of one version, and say so without a loop. */
#include <rota.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
            return 1;                                                       \
        }                                                                   \
    } while (0)

int main(void) {
    char text[64];
    CHECK(rota_version() == ROTA_VERSION);
    snprintf(text, sizeof text, "%d.%d.%d", ROTA_VERSION_MAJOR, ROTA_VERSION_MINOR,
             ROTA_VERSION_PATCH);
    CHECK(strcmp(rota_version_text(), text) == 0);
    return 0;
}
