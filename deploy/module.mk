# Images, development clusters, installation.

.PHONY: up down load status images install

CLUSTER := BIN=$(CURDIR)/build/bin VERSION=$(VERSION) deploy/dev/cluster

# up: a cluster of NODES nodes on this machine (deploy/dev/env has the other settings).
up: all
	@NODES=$(or $(NODES),1) $(CLUSTER) up
down:
	@$(CLUSTER) down
status:
	@$(CLUSTER) status
# load IMAGE=archive.tar: puts an image archive into every node.
load:
	@$(CLUSTER) load $(IMAGE)
images: all
	@deploy/images/build build/bin build/images $(VERSION)

SYSTEM_BINS := kubelet kubeadm kubectl
CONTROL_PLANE_BINS := kube-apiserver kube-controller-manager kube-scheduler kube-proxy

# install: binaries under PREFIX, the kubelet's unit where systemd looks for it.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)/lib/systemd/system/kubelet.service.d
	install -m 755 $(SYSTEM_BINS:%=build/bin/%) $(CONTROL_PLANE_BINS:%=build/bin/%) $(DESTDIR)$(PREFIX)/bin
	sed 's|@PREFIX@|$(PREFIX)|' deploy/systemd/kubelet.service > $(DESTDIR)/lib/systemd/system/kubelet.service
	sed 's|@PREFIX@|$(PREFIX)|' deploy/systemd/10-kubeadm.conf > $(DESTDIR)/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
