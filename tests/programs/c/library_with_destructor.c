/* A library whose destructor calls back into the program. The dynamic linker calls it after those of libraries that were loaded
   before: the driver's own. */
void (*at_the_end)(void);

__attribute__((destructor)) static void end(void)
{
    if (at_the_end)
        at_the_end();
}
