/*
 * The .NET runtime sets SIGPIPE to "ignore" when it starts, for the whole process. A library must not: a host that ends quietly when its reader goes away would go on writing.
 * The library writes to no pipe or socket itself. The linker sends the runtime's calls of signal() here (--wrap=signal); everything else passes.
 */
#include <signal.h>

typedef void (*handler)(int);

handler __real_signal(int number, handler action);

handler __wrap_signal(int number, handler action) {
    return number == SIGPIPE ? SIG_DFL : __real_signal(number, action);
}
