/* Ranges of IPv4 addresses: plain values, without the host, so that tests run them natively. */

#ifndef RANGE_H
#define RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest range: its keys are read at each creation. */
#define RANGE_MAX 4096

/* Room for an address in dotted or hexadecimal notation, with the zero byte. */
#define ADDRESS_ROOM 16

typedef struct range {
    uint32_t first;
    uint32_t last;
} range;

/* From the dotted notation, such as "192.0.2.10"; four decimal numbers without leading zeros. */
bool address_parse(const char *text, uint32_t *address);
void address_print(uint32_t address, char text[ADDRESS_ROOM]);

/* As a key: hexadecimal, so that keys are in the order of addresses. */
bool address_from_key(const char *key, uint32_t *address);
void address_to_key(uint32_t address, char key[ADDRESS_ROOM]);

bool range_holds(range range, uint32_t address);

/* The lowest address of the range that is not among those taken, which are in ascending order. False if there is none. */
bool range_first_free(range range, const uint32_t *taken, size_t count, uint32_t *address);

#endif
