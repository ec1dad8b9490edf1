// SPDX-License-Identifier: GPL-2.0
/*
 * The copy engine.  Memory is copied with memcpy().  A BAR is accessed in
 * aligned units of eight bytes: a hypervisor that emulates the BAR takes an
 * exit for every access, and the string instructions that memcpy() may use
 * access a BAR byte by byte.
 */
#include <linux/io.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "dma.h"

/* Bytes to go, singly, before @io is aligned to eight. */
static size_t vr_io_head(const void __iomem *io, size_t len)
{
	return min_t(size_t, len, -(unsigned long)io & 7);
}

static void vr_write8(void __iomem *io, const u8 *mem)
{
	__raw_writeq(get_unaligned((const u64 *)mem), io);
}

static void vr_read8(u8 *mem, const void __iomem *io)
{
	put_unaligned(__raw_readq(io), (u64 *)mem);
}

/* Unrolled by four: then it costs what memcpy() costs, as a DMA engine would. */
static void vr_to_io(void __iomem *io, const u8 *mem, size_t len)
{
	size_t head = vr_io_head(io, len);

	for (len -= head; head; head--)
		__raw_writeb(*mem++, io++);
	for (; len >= 32; len -= 32, mem += 32, io += 32) {
		vr_write8(io, mem);
		vr_write8(io + 8, mem + 8);
		vr_write8(io + 16, mem + 16);
		vr_write8(io + 24, mem + 24);
	}
	for (; len >= 8; len -= 8, mem += 8, io += 8)
		vr_write8(io, mem);
	for (; len; len--)
		__raw_writeb(*mem++, io++);
}

static void vr_from_io(u8 *mem, const void __iomem *io, size_t len)
{
	size_t head = vr_io_head(io, len);

	for (len -= head; head; head--)
		*mem++ = __raw_readb(io++);
	for (; len >= 32; len -= 32, mem += 32, io += 32) {
		vr_read8(mem, io);
		vr_read8(mem + 8, io + 8);
		vr_read8(mem + 16, io + 16);
		vr_read8(mem + 24, io + 24);
	}
	for (; len >= 8; len -= 8, mem += 8, io += 8)
		vr_read8(mem, io);
	for (; len; len--)
		*mem++ = __raw_readb(io++);
}

/* Both ends are BARs: a small bounce lets each have its own alignment. */
static void vr_io_to_io(void __iomem *dst, const void __iomem *src, size_t len)
{
	u8 buf[256];

	while (len) {
		size_t n = min(len, sizeof(buf));

		vr_from_io(buf, src, n);
		vr_to_io(dst, buf, n);
		dst += n;
		src += n;
		len -= n;
	}
}

/**
 * vr_span_copy - move bytes from one place in the fabric to another
 * @dst: where to
 * @src: where from
 * @len: number of bytes, not more than either span has
 *
 * The spans stay as they are; see vr_span_advance().  Writes to a BAR are
 * ordered before whatever the caller does next, such as a completion that says
 * that the data has arrived.
 *
 * Context: between vr_fabric_enter() and vr_fabric_leave().
 */
void vr_span_copy(const struct vr_span *dst, const struct vr_span *src,
		  size_t len)
{
	if (!dst->io && !src->io) {
		memcpy(dst->mem, src->mem, len);
	} else if (!dst->io) {
		vr_from_io(dst->mem, src->io, len);
	} else {
		if (src->io)
			vr_io_to_io(dst->io, src->io, len);
		else
			vr_to_io(dst->io, src->mem, len);
		/* Order the BAR before the completion, see above. */
		wmb();
	}
}

/**
 * vr_span_advance - drop bytes from the front of a span
 * @span: the span
 * @n: how many, not more than it has
 */
void vr_span_advance(struct vr_span *span, size_t n)
{
	if (span->io)
		span->io += n;
	else
		span->mem += n;
	span->len -= n;
}
