// SPDX-License-Identifier: GPL-2.0
/*
 * The progress line: see progress.h.  Only if standard error is a terminal; at
 * most five times a second, as drawing costs more than a block.
 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "seconds.h"

#define INTERVAL 0.2
#define BAR	 20

static struct {
	bool on, drawn;
	const char *name;
	uint64_t done, total;
	double started, drawn_at;
} progress;

/**
 * progress_line - put a line together
 * @line:	filled in; @width + 1 bytes
 * @width:	columns, at least 1
 * @name:	of the file; its end is shown if there is no room
 * @done:	bytes
 * @total:	bytes, 0 if not known
 * @seconds:	since the beginning
 *
 * Return: length of the line.
 */
int progress_line(char *line, int width, const char *name, uint64_t done, uint64_t total,
		  double seconds)
{
	double part = total ? (double)done / (double)total : 0;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char bar[BAR + 1], right[128], eta[32] = "--:--";
	int room, length = (int)strlen(name);
	long left;

	part = part > 1 ? 1 : part;
	if (rate > 0 && total >= done && (double)(total - done) / rate < 360000) {
		left = (long)((double)(total - done) / rate + 0.5);
		snprintf(eta, sizeof(eta), "%ld:%02ld", left / 60, left % 60);
	}
	memset(bar, '.', BAR);
	memset(bar, '#', (size_t)(part * BAR));
	bar[BAR] = '\0';
	snprintf(right, sizeof(right), " %3d%% [%s] %.1f of %.1f MiB  %.1f MiB/s  ETA %s",
		 (int)(part * 100), bar, (double)done / 0x1p20, (double)total / 0x1p20,
		 rate / 0x1p20, eta);
	room = width - (int)strlen(right);
	if (room < 0)
		room = 0;
	if (length > room)
		name += length - room;
	return snprintf(line, (size_t)width + 1, "%-*s%s", room, name, right);
}

static void draw(double at)
{
	struct winsize size = { 0 };
	char line[257];
	int width = 79;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		width = size.ws_col - 1;
	if (width > 256)
		width = 256;
	if (width < 1)
		width = 1;
	progress_line(line, width, progress.name, progress.done, progress.total,
		      at - progress.started);
	fprintf(stderr, "\r%s", line);
	progress.drawn = true;
	progress.drawn_at = at;
}

/**
 * progress_start - begin, if there is a terminal
 * @total:	bytes that will be moved, 0 if that is not known
 */
void progress_start(uint64_t total)
{
	memset(&progress, 0, sizeof(progress));
	progress.on = isatty(STDERR_FILENO);
	progress.name = "";
	progress.total = total;
	progress.started = seconds_now();
}

/**
 * progress_name - what is being worked on
 * @name:	kept, not copied, until the next call
 */
void progress_name(const char *name)
{
	progress.name = name;
}

/**
 * progress_add - so much more was moved
 * @bytes:	how much
 */
void progress_add(uint64_t bytes)
{
	double at;

	progress.done += bytes;
	if (!progress.on)
		return;
	at = seconds_now();
	if (at - progress.drawn_at >= INTERVAL)
		draw(at);
}

/**
 * progress_clear - make room for a message
 */
void progress_clear(void)
{
	if (progress.drawn)
		fprintf(stderr, "\r\033[K");
	progress.drawn = false;
}

/**
 * progress_stop - leave the line as it is in the end
 */
void progress_stop(void)
{
	if (progress.on && progress.total) {
		draw(seconds_now());
		fputc('\n', stderr);
	}
	progress.on = false;
	progress.drawn = false;
}
