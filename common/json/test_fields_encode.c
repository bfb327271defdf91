/* Structs to JSON and back: every type, and what is left out. */
#include "common/json/fields_encode.h"

#include "common/base/test.h"
#include "common/json/sample_shape.h"

static struct sample decode(struct arena *arena, struct str text)
{
    struct str error = {0};
    struct sample sample = {0};
    struct diag_list found = {.arena = arena};
    json_t *tree = fields_parse(text, arena, &error);
    TEST_STR(error, "");
    size_t errors = fields_decode(&sample_shape, tree, STR(""), STR(""), arena, &found, &sample);
    TEST_ASSERT(errors == 0);
    diag_done(&found);
    json_decref(tree);
    return sample;
}

static void test_round(void)
{
    static const struct {
        const char *text, *want; /* NULL: the same */
    } cases[] = {
        {"{}", "{\"defaulted\":42}"},
        {"{\"text\":null,\"flag\":null,\"defaulted\":0}", "{\"defaulted\":0}"},
        {"{\"text\":\"\",\"any\":0,\"words\":[],\"map\":{},\"color\":\"none\",\"ip\":\"\"}",
         "{\"defaulted\":42}"},
        {"{\"flag\":false,\"defaulted\":1}", NULL},
        {"{\"flag\":true,\"defaulted\":1}", NULL},
        {"{\"text\":\"a\\u0000b\\n\\\"\\u00e9\",\"defaulted\":1}",
         "{\"text\":\"a\\u0000b\\n\\\"\xc3\xa9\",\"defaulted\":1}"},
        {"{\"inner\":{\"name\":\"\"}}", "{\"defaulted\":42}"},
        {"{\"inner\":{\"name\":\"i\",\"number\":5},\"pointer\":{\"name\":\"\"},"
         "\"defaulted\":42}",
         NULL},
        {"{\"ports\":[{\"name\":\"one\",\"number\":1},{\"name\":\"\"}],\"defaulted\":42}", NULL},
        {"{\"port\":16384,\"any\":-9223372036854775808,\"least\":9223372036854775807,"
         "\"words\":[\"x\",\"\"],\"numbers\":[9,-1,0],\"map\":{\"a\":\"1\",\"b\":\"\"},"
         "\"color\":\"Green\",\"wait\":\"1m30.5s\",\"when\":\"1970-01-01T00:01:00Z\","
         "\"ip\":\"2001:db8::7\",\"either\":\"80\",\"raw\":{\"z\":[1,2.5,null,true]},"
         "\"defaulted\":-3}",
         NULL},
        {"{\"either\":80,\"raw\":\"x\",\"apiVersion\":[1]}",
         "{\"either\":\"80\",\"raw\":\"x\",\"defaulted\":42}"},
        {"{\"raw\":false}", "{\"raw\":false,\"defaulted\":42}"},
    };
    for (size_t i = 0; i < TEST_COUNT(cases); i++) {
        scoped_ptr(arena) struct arena *arena = arena_new(0);
        scoped_sbuf struct sbuf text = {0}, again = {0};
        struct sample sample = decode(arena, str_from(cases[i].text));
        fields_encode(&sample_shape, &sample, &text);
        TEST_STR(sbuf_str(&text), cases[i].want ? cases[i].want : cases[i].text);
        struct sample copy = decode(arena, sbuf_str(&text));
        TEST_ASSERT(copy.flag == sample.flag && copy.flag_given == sample.flag_given);
        TEST_ASSERT(copy.inner.given == sample.inner.given);
        TEST_ASSERT((copy.pointer != NULL) == (sample.pointer != NULL));
        fields_encode(&sample_shape, &copy, &again);
        TEST_STR(sbuf_str(&again), sbuf_cstr(&text));
    }
}

TEST_MAIN("common/json/fields_encode", TEST(test_round))
