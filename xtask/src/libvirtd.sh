# A libvirt daemon that this machine does not notice. Runs as the first process of its own process, mount and network
# namespaces (see libvirtd.rs): what it writes is in memory, its bridges and rules are its own, and when it ends, the
# kernel ends every machine with it. Reached from outside by the sockets alone.
#
# $1: the folder for the sockets; removed at the end
# $2: the file for the daemon's log
# $3, $4: the user and group, as numbers, that machines run as
# $5: what this host has as its UUID
# $6: the folder with what openvswitch.rs has unpacked; empty where it has nothing
# stdin: the daemon lives until this ends
set -eu
sockets=$1
log=$2
exec 3<&0
PATH=$PATH:/usr/sbin:/sbin

for folder in /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /var/lib/occi /run; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
done
# Where an open console is locked, behind /var/lock.
mkdir -p /run/lock
ip link set lo up 2>/dev/null || true

# What an operator has that networks may be joined to: a bridge, and one of Open vSwitch, which asks nothing of the kernel here. A
# file beside the sockets says that there is such a one.
if ip link add occi-br0 type bridge && ip link set occi-br0 up; then
    touch "$sockets/bridge"
fi
if [ -n "$6" ]; then
    PATH=$PATH:$6/usr/bin:$6/usr/sbin:$6/usr/lib/openvswitch-switch
    state=/run/openvswitch
    mkdir -p $state
    # The daemon's, too, which runs ovs-vsctl.
    LD_LIBRARY_PATH=$(dirname "$(find "$6" -name 'libxdp.so*' | head -n 1)")
    export LD_LIBRARY_PATH
    {
        ovsdb-tool create $state/conf.db "$6/usr/share/openvswitch/vswitch.ovsschema" &&
            ovsdb-server $state/conf.db --remote=punix:$state/db.sock --detach --pidfile --log-file=$state/db.log &&
            ovs-vsctl --no-wait init &&
            ovs-vswitchd unix:$state/db.sock --detach --pidfile --log-file=$state/switch.log &&
            ovs-vsctl --timeout=10 add-br occi-ovs0 -- set bridge occi-ovs0 datapath_type=netdev &&
            ip link set occi-ovs0 up &&
            touch "$sockets/openvswitch"
    } > "$log.openvswitch" 2>&1
fi

# libvirt's QEMU driver does not start without this user, although its configuration names another.
if ! grep -q '^libvirt-qemu:' /etc/passwd; then
    { cat /etc/passwd; echo 'libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin'; } > /run/passwd
    { cat /etc/group; echo 'libvirt-qemu:x:64055:'; } > /run/group
    mount --bind /run/passwd /etc/passwd
    mount --bind /run/group /etc/group
fi

cat > /etc/libvirt/qemu.conf <<END
user = "+$3"
group = "+$4"
security_driver = "none"
stdio_handler = "file"
namespaces = []
END
# Whoever can reach the folder may use the sockets; it is its maker's alone.
cat > /etc/libvirt/libvirtd.conf <<END
unix_sock_dir = "$sockets"
unix_sock_rw_perms = "0777"
auth_unix_rw = "none"
auth_unix_ro = "none"
host_uuid = "$5"
END
# Machines are migrated between daemons that take one another for those of different hosts.
hostname "occi-$5"
echo "127.0.0.1 localhost occi-$5" > /run/hosts
mount --bind /run/hosts /etc/hosts

# One that is killed is started again, as a service manager does.
{
    code=137
    while [ "$code" -gt 128 ] && [ ! -e /run/ending ]; do
        code=0
        libvirtd --config /etc/libvirt/libvirtd.conf --pid-file "$sockets/libvirtd.pid" || code=$?
    done > "$log" 2>&1
} &
{
    cat <&3 > /dev/null
    touch /run/ending
    daemon=$(cat "$sockets/libvirtd.pid")
    rm -rf "$sockets"
    kill "$daemon" 2> /dev/null
} &
# Waits for these two, and meanwhile buries the machines' processes, whose parent is this one.
wait
