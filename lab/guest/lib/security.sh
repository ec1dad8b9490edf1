# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # $address and $state come from lab-nfs
# Kerberos and TLS for lab-nfs. Everything is made anew in each guest, and only
# if it is asked for: keys and daemons take seconds of emulated time.

# Both need a name that stands in a key table or certificate.
readonly server_name=lab.test realm=LAB.TEST
readonly keytab=/etc/krb5.keytab

name_server() {
	grep -q "$server_name" /etc/hosts || echo "$address $server_name lab" >>/etc/hosts
}

# kerberos_config: client, KDC and ID mapper. The only user is root, who has no
# ticket but the machine's, so that is mapped to root.
kerberos_config() {
	cat >/etc/krb5.conf <<-END
		[libdefaults]
			default_realm = $realm
			dns_lookup_kdc = false
			dns_lookup_realm = false
			rdns = false
		[realms]
			$realm = {
				kdc = 127.0.0.1
			}
		[domain_realm]
			$server_name = $realm
	END
	mkdir -p /etc/krb5kdc "$state/kdc"
	cat >/etc/krb5kdc/kdc.conf <<-END
		[realms]
			$realm = {
				database_name = $state/kdc/principal
				key_stash_file = $state/kdc/stash
			}
	END
	cat >/etc/idmapd.conf <<-END
		[General]
		Domain = $server_name
		Local-Realms = $realm
		[Translation]
		Method = nsswitch
		GSS-Methods = static,nsswitch
		[Static]
		nfs/$server_name@$realm = root
	END
}

# kerberos_start: a KDC, a key table with the server's key, which the client takes
# as its machine's, and both ends' daemons.
kerberos_start() {
	name_server
	kerberos_config
	quietly kdb5_util -r "$realm" -P lab create -s
	quietly kadmin.local -q "addprinc -randkey nfs/$server_name"
	quietly kadmin.local -q "ktadd -k $keytab nfs/$server_name"
	quietly krb5kdc -P "$state/kdc/pid"
	quietly modprobe -a auth_rpcgss rpcsec_gss_krb5
	quietly rpc.svcgssd
	quietly rpc.gssd
}

# kerberos_stop: also what is remembered of it, as another KDC has other keys.
kerberos_stop() {
	stop_daemon rpc.gssd
	stop_daemon rpc.svcgssd
	stop_daemon krb5kdc
	rm -rf "$keytab" /tmp/krb5cc*
}

# tls_start: a certificate that signs itself, and the daemon that does the
# handshakes of both ends.
tls_start() {
	local dir=$state/tls

	name_server
	mkdir -p "$dir"
	quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$server_name" -addext "subjectAltName=DNS:$server_name" \
		-keyout "$dir/key.pem" -out "$dir/certificate.pem"
	chmod 600 "$dir/key.pem"
	cat >/etc/tlshd.conf <<-END
		[debug]
		loglevel=0
		tls=0
		nl=0
		[authenticate.client]
		x509.truststore=$dir/certificate.pem
		[authenticate.server]
		x509.truststore=$dir/certificate.pem
		x509.certificate=$dir/certificate.pem
		x509.private_key=$dir/key.pem
	END
	quietly modprobe tls
	tlshd -s </dev/null >"$dir/log" 2>&1 &
}

tls_stop() { stop_daemon tlshd; }

# stop_daemon NAME: and wait until it is gone, for the next one takes its place.
stop_daemon() {
	local i

	for ((i = 0; i < 100; i++)); do
		pidof "$1" >"$state/pids" || return 0
		# shellcheck disable=SC2046 # a list of numbers
		[ "$i" -gt 0 ] || kill $(cat "$state/pids")
		sleep 0.05
	done
	die "$1 does not end"
}
