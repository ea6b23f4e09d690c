#include "kube-proxy/proxy.h"

int main(int argc, char **argv)
{
	return proxy_main(argc, argv);
}
