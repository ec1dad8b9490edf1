// SPDX-License-Identifier: GPL-2.0
/*
 * The live part of rdma.h: ask the RDMA subsystem by netlink which connections
 * there are, as "rdma resource show cm_id" does.
 *
 * Source of the protocol: include/uapi/rdma/rdma_netlink.h, and
 * drivers/infiniband/core/nldev.c for what an answer has.
 */
#include "rdma.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <rdma/rdma_netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_DEVICES 64

/**
 * struct query - what the callbacks of one question fill in
 * @devices:	index of each RDMA device
 * @ndevices:	how many
 * @device:	name of the one whose connections are asked for
 * @conns:	the connections
 * @nconns:	how many
 * @rc:		a negative errno as soon as something fails
 */
struct query {
	struct {
		uint32_t index;
		char name[64];
	} devices[MAX_DEVICES];
	size_t ndevices;
	const char *device;
	struct rdma_conn **conns;
	size_t *nconns;
	int rc;
};

static int got_device(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[RDMA_NLDEV_ATTR_MAX];
	struct query *q = arg;

	if (nlmsg_parse(nlmsg_hdr(msg), 0, attrs, RDMA_NLDEV_ATTR_MAX - 1, NULL) ||
	    !attrs[RDMA_NLDEV_ATTR_DEV_INDEX] || !attrs[RDMA_NLDEV_ATTR_DEV_NAME] ||
	    q->ndevices == MAX_DEVICES)
		return NL_OK;
	q->devices[q->ndevices].index = nla_get_u32(attrs[RDMA_NLDEV_ATTR_DEV_INDEX]);
	nla_strlcpy(q->devices[q->ndevices].name, attrs[RDMA_NLDEV_ATTR_DEV_NAME],
		    sizeof(q->devices[0].name));
	q->ndevices++;
	return NL_OK;
}

static bool address_of(const struct nlattr *attr, struct rdma_conn *conn)
{
	struct sockaddr_storage ss = { 0 };

	memcpy(&ss, nla_data(attr),
	       (size_t)nla_len(attr) < sizeof(ss) ? (size_t)nla_len(attr) : sizeof(ss));
	if (ss.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)&ss;

		conn->port = ntohs(in->sin_port);
		return inet_ntop(AF_INET, &in->sin_addr, conn->address, sizeof(conn->address));
	}
	if (ss.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)&ss;

		conn->port = ntohs(in6->sin6_port);
		return inet_ntop(AF_INET6, &in6->sin6_addr, conn->address, sizeof(conn->address));
	}
	return false;
}

static int got_connections(struct nl_msg *msg, void *arg)
{
	struct nlattr *table, *entry;
	struct query *q = arg;
	int rest;

	table = nlmsg_find_attr(nlmsg_hdr(msg), 0, RDMA_NLDEV_ATTR_RES_CM_ID);
	if (!table)
		return NL_OK;
	nla_for_each_nested(entry, table, rest)
	{
		struct nlattr *user =
			nla_find(nla_data(entry), nla_len(entry), RDMA_NLDEV_ATTR_RES_KERN_NAME);
		struct nlattr *peer =
			nla_find(nla_data(entry), nla_len(entry), RDMA_NLDEV_ATTR_RES_DST_ADDR);
		struct rdma_conn conn = { 0 };

		if (!user || !peer || !address_of(peer, &conn))
			continue;
		nla_strlcpy(conn.user, user, sizeof(conn.user));
		snprintf(conn.device, sizeof(conn.device), "%s", q->device);
		if (rdma_conns_add(q->conns, q->nconns, &conn))
			q->rc = -ENOMEM;
	}
	return NL_OK;
}

/* Ask one question and wait for all of its answers. @device < 0: about none. */
static int ask(struct nl_sock *sock, int command, int64_t device, nl_recvmsg_msg_cb_t got,
	       struct query *q)
{
	struct nl_msg *msg;
	int rc;

	msg = nlmsg_alloc_simple(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command), NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	rc = device < 0 ? 0 : nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, (uint32_t)device);
	if (!rc)
		rc = nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, got, q);
	if (!rc)
		rc = nl_send_auto(sock, msg) < 0 ? -NLE_FAILURE : nl_recvmsgs_default(sock);
	nlmsg_free(msg);
	return rc < 0 ? -EIO : q->rc;
}

/**
 * rdma_conns_ask - ask the kernel of this machine for the connections
 * @conns:	list that they are appended to, see rdma_conns_add()
 * @n:		how many
 *
 * Kernel users' connections are only shown in the initial PID namespace.
 *
 * Return: 0 or a negative errno.
 */
int rdma_conns_ask(struct rdma_conn **conns, size_t *n)
{
	struct nl_sock *sock = nl_socket_alloc();
	struct query *q = calloc(1, sizeof(*q));
	int rc = sock && q ? 0 : -ENOMEM;

	if (!rc && nl_connect(sock, NETLINK_RDMA))
		rc = -EPROTONOSUPPORT;
	if (!rc) {
		q->conns = conns;
		q->nconns = n;
		rc = ask(sock, RDMA_NLDEV_CMD_GET, -1, got_device, q);
	}
	for (size_t i = 0; !rc && i < q->ndevices; i++) {
		q->device = q->devices[i].name;
		rc = ask(sock, RDMA_NLDEV_CMD_RES_CM_ID_GET, q->devices[i].index, got_connections,
			 q);
	}
	free(q);
	nl_socket_free(sock);
	return rc;
}
