/* A libsuper8.so of another version. */
const char *super8_version(void)
{
    return "0.0.1";
}
