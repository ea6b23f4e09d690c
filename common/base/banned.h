/*
 * Calls that have no place in this code: each use is a compile error. Included by the build before every file of ours.
 * The system's headers that declare them come first, so that their declarations stay legal.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atoll atof tmpnam tempnam mktemp
#pragma GCC poison asctime ctime gmtime localtime strerror popen

#endif
