/* Ranges, without a host: built with the machine's own compiler by `cargo xtask test`. */

#undef NDEBUG
#include "../src/range.c"

#include <assert.h>

static uint32_t parsed(const char *text)
{
    uint32_t address;
    assert(address_parse(text, &address));
    return address;
}

static void an_address_is_four_numbers(void)
{
    assert(parsed("0.0.0.0") == 0);
    assert(parsed("192.0.2.10") == 0xc000020a);
    assert(parsed("255.255.255.255") == UINT32_MAX);
    const char *wrong[] = { "",          "192.0.2",    "192.0.2.10.1", "192.0.2.256",    "192.0.2.010", "192.0.2.00",
                            "1.2.3.4 ",  " 1.2.3.4",   "1..2.3",       "1.2.3.-4",       "0x1.2.3.4",   "1.2.3.4/24",
                            "1.2.3.1e1", "1.2.3.4444", "1.2.3.",       "4294967296.0.0.0" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t untouched = 7;
        assert(!address_parse(wrong[i], &untouched) && untouched == 7);
    }
}

static void texts_and_keys_lead_back(void)
{
    const uint32_t addresses[] = { 0, 1, 0xc000020a, UINT32_MAX };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        char text[ADDRESS_ROOM];
        uint32_t address;
        address_print(addresses[i], text);
        assert(parsed(text) == addresses[i]);
        address_to_key(addresses[i], text);
        assert(address_from_key(text, &address) && address == addresses[i]);
    }
    uint32_t address;
    assert(!address_from_key("c000020", &address) && !address_from_key("C000020A", &address));
}

static void the_lowest_free_address_is_found(void)
{
    range three = { 10, 12 };
    uint32_t address;
    assert(range_first_free(three, NULL, 0, &address) && address == 10);
    assert(range_first_free(three, (uint32_t[]){ 10, 12 }, 2, &address) && address == 11);
    assert(range_first_free(three, (uint32_t[]){ 11 }, 1, &address) && address == 10);
    assert(!range_first_free(three, (uint32_t[]){ 10, 11, 12 }, 3, &address));
    /* Taken while the range was another one. */
    assert(range_first_free(three, (uint32_t[]){ 3, 10, 99 }, 3, &address) && address == 11);
    range end = { UINT32_MAX, UINT32_MAX };
    assert(!range_first_free(end, (uint32_t[]){ UINT32_MAX }, 1, &address));
}

int main(void)
{
    an_address_is_four_numbers();
    texts_and_keys_lead_back();
    the_lowest_free_address_is_found();
    return 0;
}
