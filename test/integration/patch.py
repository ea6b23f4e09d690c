"""Has a copy of Kubernetes' integration tests start another kube-apiserver than their own.

    patch.py FOLDER     of the copy

Each of the three helpers that start a server in the test's process gets a branch that starts server.go's instead, where
there is one; what tests do to the inside of a server is left out then.
"""
import pathlib
import shutil
import sys

ROOT = pathlib.Path(sys.argv[1])


def patch(path, *replacements):
    file = ROOT / path
    text = file.read_text()
    for old, new in replacements:
        if old not in text:
            sys.exit(f"{path} has no {old!r}: another release?")
        text = text.replace(old, new, 1)
    file.write_text(text)


# What a branch needs of a client: health, and the namespaces that tests begin with.
READY = """func() bool {
			status := 0
			client.CoreV1().RESTClient().Get().AbsPath("/healthz").Do(context.TODO()).StatusCode(&status)
			_, err := client.CoreV1().Namespaces().Get(context.TODO(), "kube-system", metav1.GetOptions{})
			return status == 200 && err == nil
		}"""

shutil.copy(pathlib.Path(__file__).parent / "server.go", ROOT / "cmd/kube-apiserver/app/testing/other_server.go")
patch("cmd/kube-apiserver/app/testing/testserver.go",
      ("	completedOptions, err := s.Complete(tCtx)\n", """	if UsesOtherServer() {
		key := filepath.Join(result.TmpDir, "accounts.key")
		if err := os.WriteFile(key, []byte(ecdsaPrivateKey), 0600); err != nil {
			return result, err
		}
		s.ServiceAccountSigningKeyFile = key
		s.Authentication.ServiceAccounts.KeyFiles = []string{key}
		o, err := StartOtherServer(s, result.TmpDir, t.Logf)
		if err != nil {
			return result, err
		}
		errCh = o.Exited
		o.StopWith(tCtx)
		client := kubernetes.NewForConfigOrDie(o.Config)
		if err := o.Await(""" + READY + """); err != nil && !instanceOptions.SkipHealthzCheck {
			return result, err
		}
		etcdClient, _, err := GetEtcdClients(storageConfig.Transport)
		if err != nil {
			return result, err
		}
		result.ClientConfig = restclient.CopyConfig(o.Config)
		result.ClientConfig.QPS, result.ClientConfig.Burst = 1000, 10000
		result.ServerOpts, result.EtcdClient, result.EtcdStoragePrefix = s, etcdClient, storageConfig.Prefix
		result.TearDownFn = func() {
			tearDown()
			etcdClient.Close()
		}
		return result, nil
	}

	completedOptions, err := s.Complete(tCtx)
"""))
patch("test/integration/framework/test_server.go",
      ('	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"\n',
       '	"k8s.io/kubernetes/cmd/kube-apiserver/app/options"\n'
       '	apitesting "k8s.io/kubernetes/cmd/kube-apiserver/app/testing"\n'),
      ("	completedOptions, err := opts.Complete(ctx)\n", """	if apitesting.UsesOtherServer() {
		key := path.Join(certDir, "accounts.key")
		if err := os.WriteFile(key, []byte(ecdsaPrivateKey), 0600); err != nil {
			t.Fatal(err)
		}
		if opts.ServiceAccountSigningKeyFile == saSigningKeyFile.Name() {
			opts.ServiceAccountSigningKeyFile = key
			opts.Authentication.ServiceAccounts.KeyFiles = []string{key}
		}
		o, err := apitesting.StartOtherServer(opts, certDir, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		errCh = o.Exited
		o.StopWith(ctx)
		client := client.NewForConfigOrDie(o.Config)
		if err := o.Await(""" + READY + """); err != nil {
			t.Fatal(err)
		}
		return client, o.Config, tearDownFn
	}

	completedOptions, err := opts.Complete(ctx)
"""))
# Definitions are stored, but what they define is not served yet: nobody waits for it.
patch("test/integration/etcd/server.go",
      ("skipCrdExistsInDiscovery bool, crds ...*apiextensionsv1.CustomResourceDefinition) {\n",
       "skipCrdExistsInDiscovery bool, crds ...*apiextensionsv1.CustomResourceDefinition) {\n"
       '	if os.Getenv("APISERVER") != "" {\n		return\n	}\n'))
