# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] tags=["names"] id="names"
# | name | matriculation number |
# | --- | --- |
# |  |  |
# |  |  |
#
# Group:

# %% [markdown] id="title"
# # The conditional variational autoencoder
#
# A generative model learns from examples how to make new ones. In this notebook you build two of them. The first, a
# *variational autoencoder* (VAE), learns to draw digits from just two numbers, and with two numbers one can see
# everything that it has learned on a single picture. It has a flaw that you will run into: one cannot ask it for a 7.
# The second, a *conditional* VAE, is told which digit to draw. That takes a handful of changed lines, and what becomes
# of the two numbers once the digit is known is the nicest picture of the notebook.
#
# **How to work.** Fill the gaps between `START TODO` and `END TODO`, and comment on what you write there. Answer the
# questions in the cells that say so. Everything else is given: the other cells are put back when your notebook is
# graded. You may add cells of your own wherever you like; they are not run then.
#
# After each gap comes a cell with checks. It runs in a moment, and its message says what is expected and what came.
# The checks are honest but not complete: the tests that decide look at more. `python -m pytest` in the folder of this
# notebook runs some further ones.
#
# **What to hand in.** This notebook, with all cells run from top to bottom (*Restart and run all*), and the same as
# `submission.pdf` (*Print*, or *Export as PDF*), with names and matriculation numbers in its first cell.
#
# **Conventions.** Images are tensors of shape `(batch, 1, 28, 28)` with values from 0 (black) to 1 (white), latent
# variables are tensors of shape `(batch, latent_size)`, and losses are *per image*: summed over everything within an
# image, averaged over the images.

# %% [markdown] id="setup"
# ## 1 Setting up

# %% id="imports"
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

# %% tags=["check"] id="import-checks"
from gapcheck import (
    assert_between,
    assert_close,
    assert_gradient_flows,
    assert_reparameterised,
    assert_std,
    assert_tensor,
)

# %% id="import-library"
from lib.data.digits import MadeDigits
from lib.data.source import load_digits
from lib.plot_cvae import show_grid, show_histories, show_rows, show_scatter

# %% [markdown] id="about-the-data"
# The data are 28 x 28 images of digits. So that the notebook runs at once and offline, our own code draws them from
# fonts, a little turned, sheared and blurred; that takes some seconds the first time. `load_digits(download=True)`
# fetches the handwritten digits of MNIST and uses those. They are ten times as many, so half as many epochs take
# five times as long; the pictures are worth the wait.

# %% tags=["training"] id="data"
torch.manual_seed(0)
train_data, test_data = load_digits()
train_loader = DataLoader(train_data, batch_size=64, shuffle=True)
test_loader = DataLoader(test_data, batch_size=500)
EPOCHS = 20
LEARNING_RATE = 3e-3
if not isinstance(train_data, MadeDigits):  # MNIST has ten times as many images
    EPOCHS = 10
    LEARNING_RATE = 1e-3

images, labels = next(iter(test_loader))
print(f"{len(train_data):,} images to train with, {len(test_data):,} to test with")
show_rows(torch.stack([images[labels == digit][:12, 0] for digit in range(10)]).numpy(), [f"{i}" for i in range(10)])

# %% [markdown] id="about-the-vae"
# ## 2 A variational autoencoder
#
# Think of an image $x$ as made in two steps. First a few *latent variables* $z$ are drawn from the *prior*
# $p(z) = \mathcal{N}(0, I)$: which digit, how slanted, how bold. Then a network, the **decoder**, turns $z$ into an
# image, each of its outputs being the probability that a pixel is white.
#
# To train the decoder we have to know which $z$ belongs to which image. A second network, the **encoder**, guesses it.
# It does not name one $z$ but a normal distribution over those that may have made the image,
#
# $$q(z \mid x) = \mathcal{N}\bigl(\mu(x), \operatorname{diag}(\sigma^2(x))\bigr),$$
#
# and returns `mean_z` $= \mu(x)$ and `logvar_z` $= \log \sigma^2(x)$.
#
# To train both at once, gradients have to pass through the random choice of $z$. The *reparameterisation trick* draws
# noise that depends on nothing, then scales and moves it ([Kingma & Welling 2014](https://arxiv.org/abs/1312.6114),
# section 2.4):
#
# $$z = \mu + \sigma \odot \epsilon, \qquad \epsilon \sim \mathcal{N}(0, I).$$
#
# The layers, all with biases:
#
# | encoder | output |
# | --- | --- |
# | image | $1 \times 28 \times 28$ |
# | convolution to 32 channels, kernel 3, stride 2, padding 1; ReLU | $32 \times 14 \times 14$ |
# | convolution to 64 channels, kernel 3, stride 2, padding 1; ReLU | $64 \times 7 \times 7$ |
# | flatten | 3136 |
# | linear to 16, no activation | 16 |
# | two linear heads: `mean_z` and `logvar_z` | `latent_size` each |
#
# | decoder | output |
# | --- | --- |
# | latent variables | `latent_size` |
# | linear to 3136; ReLU; reshape to channels, rows, columns | $64 \times 7 \times 7$ |
# | transposed convolution to 32 channels, the same kernel, output padding 1; ReLU | $32 \times 14 \times 14$ |
# | transposed convolution to 1 channel, the same kernel, output padding 1 | $1 \times 28 \times 28$ |
# | an output activation: **you choose** | $1 \times 28 \times 28$ |
#
# "The same kernel" means kernel 3, stride 2, padding 1. A transposed convolution with it turns $n$ rows into
# $2 (n - 1) - 2 \cdot 1 + 3 + 1 = 2n$, where the last 1 is the output padding. The 16 numbers have no activation: so
# few ReLUs easily die all together in the first steps, and then no image tells the heads anything any more.
#
# ### 2a The model (2 points)
#
# Fill the gaps of `VAE`. It must work for any `latent_size`; with 2 it has 97,237 parameters. `sample_latent` draws a
# new sample at each call, in training mode and in evaluation mode alike.


# %% id="vae"
class VAE(nn.Module):
    """A convolutional variational autoencoder for images of 28 x 28 pixels.

    Args:
        latent_size: number of latent variables.
    """

    def __init__(self, latent_size: int = 2) -> None:
        super().__init__()
        self.latent_size = latent_size

        # START TODO (cvae 2a.1): create the encoder's layers, those of the table, as attributes of self.
        # Hint: nn.Sequential keeps the layers that follow one another together; the heads share all that comes before.
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 16),
        )
        # both heads read the same 16 numbers
        self.encoder_mean = nn.Linear(16, latent_size)
        self.encoder_logvar = nn.Linear(16, latent_size)
        # END TODO

        # START TODO (cvae 2a.2): create the decoder's layers, those of the table.
        # The output activation is yours to choose: mind which values a pixel of an image can have.
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, 64 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, kernel_size=3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, kernel_size=3, stride=2, padding=1, output_padding=1),
            # a pixel is a probability
            nn.Sigmoid(),
        )
        # END TODO

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The parameters of q(z | x).

        Args:
            x: (batch, 1, 28, 28) images.

        Returns:
            mean_z: (batch, latent_size) means.
            logvar_z: (batch, latent_size) logarithms of the variances, log(sigma^2).
        """
        # START TODO (cvae 2a.3): apply the layers that both heads share, then each head.
        features = self.encoder(x)
        # no activation on the heads: both may be any real number
        return self.encoder_mean(features), self.encoder_logvar(features)
        # END TODO

    def sample_latent(self, mean_z: Tensor, logvar_z: Tensor) -> Tensor:
        """Draw z ~ N(mean_z, diag(exp(logvar_z))) with the reparameterisation trick.

        Args:
            mean_z, logvar_z: (batch, latent_size) outputs of the encoder; they are left as they are.

        Returns:
            z: (batch, latent_size), differentiable in both arguments, with noise of its own in each number.
        """
        # START TODO (cvae 2a.4): draw the noise, scale it with sigma, move it by the mean.
        # Hint: logvar_z is log(sigma^2); write sigma as a function of it.
        sigma = torch.exp(0.5 * logvar_z)
        # the noise depends on no parameter, so gradients pass it by
        epsilon = torch.randn_like(sigma)
        return mean_z + sigma * epsilon
        # END TODO

    def decode(self, z: Tensor) -> Tensor:
        """The images that latent variables make.

        Args:
            z: (batch, latent_size) latent variables.

        Returns:
            reconstruction: (batch, 1, 28, 28), each value the probability that a pixel is white.
        """
        # START TODO (cvae 2a.5): apply the decoder's layers and the output activation of your choice.
        return self.decoder(z)  # each transposed convolution doubles height and width: 7, 14, 28
        # END TODO

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode images, draw latent variables, decode them.

        Args:
            x: (batch, 1, 28, 28) images.

        Returns:
            reconstruction: (batch, 1, 28, 28), mean_z: (batch, latent_size), logvar_z: (batch, latent_size), in this
                order.
        """
        # START TODO (cvae 2a.6): put the three methods above together, by calling them.
        mean_z, logvar_z = self.encode(x)
        z = self.sample_latent(mean_z, logvar_z)
        # the loss needs all three
        return self.decode(z), mean_z, logvar_z
        # END TODO


# %% [markdown] id="about-the-checks"
# The first checks. They look at shapes, at the range of the pixels, and at `sample_latent`: its samples for
# $\mu = 1$ and $\log \sigma^2 = 1$ must have the standard deviation $\sqrt{e} \approx 1.65$, and gradients must arrive.

# %% tags=["check"] id="check-vae"
for size in (2, 5):
    vae = VAE(latent_size=size)
    checked_mean, checked_logvar = vae.encode(torch.rand(7, 1, 28, 28))
    assert_tensor(checked_mean, (7, size), what="mean_z")
    assert_tensor(checked_logvar, (7, size), what="logvar_z")
    pixels = assert_tensor(vae.decode(100 * torch.randn(3, size)), (3, 1, 28, 28), what="the decoded batch")
    assert_between(pixels, 0.0, 1.0, what="the decoded batch")
    for result, shape in zip(vae(torch.rand(4, 1, 28, 28)), [(4, 1, 28, 28), (4, size), (4, size)], strict=True):
        assert_tensor(result, shape, what="one of the three results of forward")

n_parameters = sum(parameter.numel() for parameter in VAE(latent_size=2).parameters())
assert n_parameters == 97_237, f"The model should have 97,237 parameters, but it has {n_parameters:,}."
print("Layers and shapes: nothing to complain about.")

# %% tags=["check"] id="check-sample-latent"
means, logvars = torch.randn(50, 2, requires_grad=True), torch.randn(50, 2, requires_grad=True)
sample = VAE(latent_size=2).eval().sample_latent(means, logvars)
sample.sum().backward()
assert_reparameterised(sample, means, logvars, means.grad, logvars.grad, what="the sample")
assert_std(VAE().sample_latent(torch.ones(4000, 2), torch.ones(4000, 2)), 1.6487, mean=1.0, what="the sample")
print("sample_latent: nothing to complain about.")

# %% [markdown] id="question-2b"
# ### 2b Question (1 point)
#
# 1. Which output activation did you choose, and why? Why do the two heads of the encoder have none?
# 2. Why does `sample_latent` not simply draw from $\mathcal{N}(\mu, \sigma^2)$, for example with
#    `torch.normal(mean_z, sigma)`? What would not be trained?

# %% [markdown] tags=["answer"] id="q-2b"
# 1. A sigmoid. A pixel of the output is the probability of white, so it has to lie between 0 and 1, and the binary
#    cross-entropy is defined for such values only; the sigmoid maps any real number there, and its gradient is
#    nowhere zero. The heads give a mean and the logarithm of a variance. Both may be any real number, negative ones
#    included, so an activation such as ReLU would forbid half of all means and all variances below 1.
# 2. A drawn number is no differentiable function of the distribution's parameters: nothing says where the draw would
#    have gone with a slightly larger mean. `torch.normal` passes back zeros, so backpropagation ends there. The decoder
#    would still be trained by the reconstruction, but none of it would reach the encoder, which would then only follow
#    the KL term and learn nothing about images. With $z = \mu + \sigma \epsilon$ the randomness sits in $\epsilon$, and
#    $\partial z / \partial \mu = 1$, $\partial z / \partial \sigma = \epsilon$.

# %% [markdown] id="about-the-loss"
# ## 3 The loss
#
# The likelihood $p(x)$ of an image cannot be computed, since it is an integral over all $z$. Its logarithm has a lower
# bound that can, and training maximises it, the ELBO. The loss is the negative bound and has two terms:
#
# $$L(x) = \underbrace{-\mathbb{E}_{q(z \mid x)}\bigl[\log p(x \mid z)\bigr]}_{\text{reconstruction}}
#   + \underbrace{\mathrm{KL}\bigl(q(z \mid x) \,\|\, \mathcal{N}(0, I)\bigr)}_{\text{KL}}.$$
#
# For the **reconstruction term** one sample of $z$ is enough. With pixels $x_i$ and their reconstructions $\hat x_i$ it
# is the binary cross-entropy, summed over the pixels of an image,
#
# $$-\sum_i \bigl(x_i \log \hat x_i + (1 - x_i) \log (1 - \hat x_i)\bigr).$$
#
# The **KL term** measures how far the encoder's guess is from the prior. For normal distributions it has a closed form,
# a sum over the latent variables $j$ of an image:
#
# $$\frac{1}{2} \sum_j \bigl(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\bigr).$$
#
# ### 3a Three functions (2 points)
#
# Both terms are **summed within an image and averaged over the images** of the batch. Mixing that up, for example
# averaging over the pixels as well, changes the weight of the terms against each other by a factor of 784.


# %% id="losses"
def reconstruction_loss(reconstruction: Tensor, x: Tensor) -> Tensor:
    """The binary cross-entropy of a batch, summed over the pixels and averaged over the images.

    Args:
        reconstruction: (batch, 1, 28, 28) output of the decoder, values in [0, 1].
        x: (batch, 1, 28, 28) the images themselves, values in [0, 1].

    Returns:
        a tensor without axes; finite, too, where a reconstruction is exactly 0 or 1.
    """
    # START TODO (cvae 3a.1): compute the cross-entropy summed over everything, and divide by the size of the batch.
    # Hint: torch.nn.functional, here `F`, has the binary cross-entropy; mind its reduction and its arguments' order.
    summed = F.binary_cross_entropy(reconstruction, x, reduction="sum")
    # the number of images, not of pixels
    return summed / len(x)
    # END TODO


def kl_loss(mean_z: Tensor, logvar_z: Tensor) -> Tensor:
    """The KL divergence of N(mean_z, diag(exp(logvar_z))) from N(0, I), summed over axis 1 and averaged over axis 0.

    Args:
        mean_z, logvar_z: (batch, latent_size) outputs of the encoder; they are left as they are.

    Returns:
        a tensor without axes.
    """
    # START TODO (cvae 3a.2): compute the divergence of each latent variable, sum over axis 1, then average over axis 0.
    # Hint: sigma^2 is a function of logvar_z.
    divergence = 0.5 * (mean_z**2 + torch.exp(logvar_z) - 1 - logvar_z)
    # (batch, latent_size) -> (batch,) -> ()
    return divergence.sum(dim=1).mean(dim=0)
    # END TODO


def loss_function(reconstruction: Tensor, x: Tensor, mean_z: Tensor, logvar_z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of a batch and its two terms.

    Args:
        reconstruction, x: (batch, 1, 28, 28), as for `reconstruction_loss`.
        mean_z, logvar_z: (batch, latent_size), as for `kl_loss`.

    Returns:
        total, reconstruction_term, kl_term: tensors without axes, in this order; the total is the sum of the others.
    """
    # START TODO (cvae 3a.3): put both terms together; call the two functions above.
    reconstruction_term = reconstruction_loss(reconstruction, x)
    kl_term = kl_loss(mean_z, logvar_z)
    # the total comes first
    return reconstruction_term + kl_term, reconstruction_term, kl_term
    # END TODO


# %% [markdown] id="about-the-loss-checks"
# An image whose pixels are all reconstructed as $\frac{1}{2}$ costs $784 \log 2 \approx 543.4$, whatever it shows. The
# KL term of $\mu = 1$, $\sigma = 1$ is $\frac{1}{2}$ for each latent variable.

# %% tags=["check"] id="check-losses"
images_to_check = torch.rand(6, 1, 28, 28)
halves = torch.full((6, 1, 28, 28), 0.5)
assert_close(reconstruction_loss(halves, images_to_check), 543.427, what="the loss of a grey reconstruction")
assert_close(kl_loss(torch.zeros(6, 3), torch.zeros(6, 3)), 0.0, what="the KL term of the prior")
assert_close(kl_loss(torch.ones(6, 3), torch.zeros(6, 3)), 1.5, what="the KL term of three means of 1")
three = loss_function(halves, images_to_check, torch.ones(6, 3), torch.zeros(6, 3))
assert len(three) == 3, f"loss_function should return three values, but it returned {len(three)}."
for term, expected in zip(three, (544.927, 543.427, 1.5), strict=True):
    assert_close(term, expected, what="one of the three values of loss_function")
print("The losses: nothing to complain about.")

# %% [markdown] id="about-the-training"
# ## 4 Training
#
# ### 4a Training and testing (2 points)
#
# `train` runs over the batches of `train_loader` as often as `num_epochs` says and improves the parameters with
# [Adam](https://arxiv.org/abs/1412.6980) after each batch. `test` measures the loss on `test_loader` and improves
# nothing. In both the loss of an image counts: a last batch that is smaller weighs less. `train` shows how to do that.


# %% id="training"
def train(model: nn.Module, num_epochs: int = 10, lr: float = 1e-3) -> np.ndarray:
    """Train a VAE on the images of `train_loader`.

    Args:
        model: gives (reconstruction, mean_z, logvar_z) for a batch of images; its parameters are changed.
        num_epochs: how often every image is seen.
        lr: the learning rate of Adam.

    Returns:
        history: (num_epochs, 3), the loss, the reconstruction term and the KL term of an image, averaged over an epoch.
    """
    # START TODO (cvae 4a.1): bring the model into training mode, and make an Adam optimizer for all of its parameters.
    # Call it `optimizer`; its learning rate is lr.
    model.train()
    # all else about Adam stays at its defaults
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    # END TODO

    history = []
    with tqdm(total=num_epochs * len(train_loader), unit="batch") as progress:
        for epoch in range(num_epochs):
            sums, n_images = np.zeros(3), 0
            for x, _ in train_loader:
                # START TODO (cvae 4a.2): take one step: reconstruct the batch, compute the loss, update the parameters.
                # Keep what `loss_function` returns as `losses`; its first value is what has to become smaller.
                reconstruction, mean_z, logvar_z = model(x)
                losses = loss_function(reconstruction, x, mean_z, logvar_z)
                # gradients add up unless the old ones are thrown away
                optimizer.zero_grad()
                losses[0].backward()
                optimizer.step()
                # END TODO
                sums += len(x) * np.array([term.item() for term in losses])
                n_images += len(x)
                progress.update()
            history.append(sums / n_images)
            progress.set_description(f"epoch {epoch + 1}/{num_epochs}, loss {history[-1][0]:.1f}")
    return np.array(history)


def test(model: nn.Module) -> tuple[float, float, float]:
    """Measure the loss on the images of `test_loader`.

    Args:
        model: gives (reconstruction, mean_z, logvar_z) for a batch of images; its parameters are left as they are.

    Returns:
        the loss, the reconstruction term and the KL term of an image, averaged over all images.
    """
    # START TODO (cvae 4a.3): in evaluation mode, without recording gradients, average `loss_function` over all images.
    # Hint: `loss_function` gives the average of a batch, and the last batch may be smaller than the others.
    model.eval()
    sums, n_images = np.zeros(3), 0
    with torch.no_grad():
        for x, _ in test_loader:
            reconstruction, mean_z, logvar_z = model(x)
            losses = loss_function(reconstruction, x, mean_z, logvar_z)
            # back from the average of the batch to its sum
            sums += len(x) * np.array([term.item() for term in losses])
            n_images += len(x)
    # plain numbers instead of numpy's
    total, reconstruction_term, kl_term = (sums / n_images).tolist()
    return total, reconstruction_term, kl_term
    # END TODO


# %% tags=["check"] id="check-training"
torch.manual_seed(0)
model_to_check = VAE(latent_size=2)
untrained = test(model_to_check)
history_to_check = train(model_to_check, num_epochs=1)
assert history_to_check.shape == (1, 3), f"The history of one epoch has the shape {history_to_check.shape}, not (1, 3)."
trained = test(model_to_check)
assert_between(trained[0] / untrained[0], 0.0, 0.7, what="the loss after one epoch, as a share of the loss before it,")
assert_close(trained[1] + trained[2], trained[0], what="the sum of the two terms of the loss")
print(f"One epoch has brought the loss of an image from {untrained[0]:.0f} down to {trained[0]:.0f}.")

# %% [markdown] id="run-4b"
# ### 4b Run it
#
# Less than a minute on one core. Watch the loss: below 150 the digits begin to be legible.

# %% tags=["training"] id="train-vae"
torch.manual_seed(0)
vae = VAE(latent_size=2)
vae_history = train(vae, num_epochs=EPOCHS, lr=LEARNING_RATE)
vae_test = test(vae)
print("Test images: loss {:.1f}, reconstruction term {:.1f}, KL term {:.2f}".format(*vae_test))

# %% tags=["training"] id="show-vae"
show_histories({"VAE": vae_history})
originals = images[:14]
with torch.no_grad():
    reconstructions = vae(originals)[0]
    generated = vae.decode(torch.randn(14, 2))
rows = torch.stack([originals, reconstructions, generated])[:, :, 0].numpy()
show_rows(rows, ["test image", "reconstruction", "decoded noise"])

# %% [markdown] id="question-4c"
# ### 4c Question (1 point)
#
# 1. Which of the two terms falls and which rises in the first epochs? Explain it: what does the model gain by a larger
#    KL term?
# 2. Compare the loss of the test images with the last loss of the training. What does it say about overfitting?

# %% [markdown] tags=["answer"] id="q-4c"
# 1. The reconstruction term falls from the first batch on. The KL term starts near 0, because an untrained encoder
#    says about the same for every image, and rises to 4 or so in the first epochs. For as long as z says nothing
#    about the image, the decoder can only draw the mean of all images, which costs 144. Telling images apart costs 4
#    or so of KL, but in the end it saves 30 of reconstruction, so it pays. From then on the reconstruction falls
#    slowly, and the KL term stays about where it is: what z says in addition has to save more than it costs.
# 2. They are nearly the same (118.8 for test images, 118.3 in the last epoch). So the model does not overfit: it does
#    as well on digits that it has never seen. With two noisy numbers it could not learn images by heart anyway. It is
#    still improving a little, so more epochs would help more than more images.

# %% [markdown] id="about-the-latent-space"
# ## 5 The latent space
#
# Two latent variables are few, but they can be drawn. Two pictures tell what the model has learned: what the decoder
# makes of each place, and to which place the encoder brings each image.
#
# ### 5a What lies where? (1 point)
#
# `plot_latent` decodes the points of a regular grid. In the picture $z_0$ grows to the right and $z_1$ grows upwards,
# as in any plot, so **the top row has the largest $z_1$**.


# %% id="plot-latent"
def plot_latent(model: VAE, grid_size: int = 16, limit: float = 2.5) -> np.ndarray:
    """Decode and draw a regular grid of the latent space.

    Args:
        model: has decode(z), which makes images (batch, 1, 28, 28) of z (batch, 2).
        grid_size: number g of points along each axis, at least 2.
        limit: both latent variables run from -limit to limit in equal steps, both ends included.

    Returns:
        grid: (g, g, 28, 28) array; grid[i, j] is the image in row i from the top and column j from the left.
    """
    # START TODO (cvae 5a): decode the g * g points in evaluation mode, without recording gradients.
    # Call the array `grid`. Hint: the points fit into one batch z (g * g, 2), picture row by row; see torch.meshgrid.
    values = torch.linspace(-limit, limit, grid_size)
    # rows first: z1 falls from one row to the next, z0 grows from one column to the next
    z1, z0 = torch.meshgrid(values.flip(0), values, indexing="ij")
    model.eval()
    with torch.no_grad():
        decoded = model.decode(torch.stack([z0.flatten(), z1.flatten()], dim=1))
    grid = decoded.reshape(grid_size, grid_size, *decoded.shape[2:]).numpy()
    # END TODO
    show_grid(grid, limit, "What the decoder makes of the latent space")
    return grid


# %% tags=["check"] id="check-plot-latent"
grid_to_check = plot_latent(VAE(latent_size=2), grid_size=3)
assert grid_to_check.shape == (3, 3, 28, 28), f"The grid should be (3, 3, 28, 28), but it is {grid_to_check.shape}."
plt.close()
print("plot_latent: the shape is right; the picture of the trained model will tell more.")

# %% tags=["training"] id="show-latent"
grid = plot_latent(vae)

# %% [markdown] id="question-5b"
# ### 5b Question (1 point)
#
# Walk through the grid along a line. How does one digit become another? What do the images in between look like, and
# which property of the model makes them look so?

# %% [markdown] tags=["answer"] id="q-5b"
# Digits change into each other gradually, and along the way there are forms that are no digit: a 7 becomes a 2 and
# the 2 a 3 from left to right in the upper half, a 1 becomes a 4 in the lower left. In between, strokes of both are
# grey and blurred, as in a mean of two images. The decoder is a continuous function, so near points give similar
# images. And since the encoder adds noise, one place of the latent space stands for several images, sometimes of
# several classes; the image that is decoded there has to be cheap for all of them, and that is their mean, pixel by
# pixel. The prior leaves no empty room between the classes, so the mixtures have to lie somewhere.

# %% [markdown] id="question-5c"
# ### 5c Question (1 point)
#
# Which digits take much room and which take little? What else, besides the digit, varies within one digit's region?
# Why can two latent variables not keep everything about an image?

# %% [markdown] tags=["answer"] id="q-5c"
# 1, 7, 4 and 0 have large regions at the border, since they look unlike the others. 5, 6, 8 and 9 share a small part
# of the middle, and hardly a clean 6 or 9 can be found there. Within a region the slant and the boldness vary: the
# zeros become upright and bolder downwards, the sevens slanted to the right. Two numbers with noise in them carry few
# nats: the KL term, 4.5 on average, is an upper bound of what z tells about an image. Whatever saves the most of the
# cross-entropy is kept, that is what changes the most pixels. Fonts, dots in zeros and small serifs do not pay, and
# are averaged away.

# %% [markdown] id="about-the-scatter"
# ### 5d Where do the images lie? (1 point)
#
# `scatterplot_latent` draws the mean $\mu(x)$ of every test image in the colour of its class. The dashed rings have the
# radii 1, 2 and 3: were they spread as the prior says, 39 % would lie within the first and 86 % within the second.


# %% id="scatterplot-latent"
def scatterplot_latent(model: VAE) -> tuple[np.ndarray, np.ndarray]:
    """Encode the images of `test_loader` and draw their means.

    Args:
        model: has encode(x), which returns (mean_z, logvar_z), each (batch, 2).

    Returns:
        means: (n, 2) array, mean_z of all n test images, in the loader's order.
        labels: (n,) array of int64, their classes.
    """
    # START TODO (cvae 5d): encode all batches in evaluation mode, without recording gradients.
    # Call the two arrays `all_means` and `all_labels`. Hint: collect the results of the batches in two lists.
    means, labels = [], []
    model.eval()
    with torch.no_grad():
        for x, y in test_loader:
            # the mean is the centre of the encoder's guess; a sample would only blur the picture
            means.append(model.encode(x)[0])
            labels.append(y)
    all_means, all_labels = torch.cat(means).numpy(), torch.cat(labels).numpy()
    # END TODO
    show_scatter(all_means, all_labels, "Where the encoder puts the test images")
    return all_means, all_labels


# %% tags=["check"] id="check-scatterplot-latent"
means_to_check, labels_to_check = scatterplot_latent(VAE(latent_size=2))
assert means_to_check.shape == (len(test_data), 2), f"The means have the shape {means_to_check.shape}."
assert labels_to_check.shape == (len(test_data),), f"The labels have the shape {labels_to_check.shape}."
plt.close()
print("scatterplot_latent: every test image is there.")

# %% tags=["training"] id="show-scatter"
means_of_images, labels_of_images = scatterplot_latent(vae)

# %% [markdown] id="question-5e"
# ### 5e Question (1 point)
#
# Compare the scatter plot with the grid. Name two classes that lie beside each other or overlap, and say why the model
# puts them there. How does that show in the grid?

# %% [markdown] tags=["answer"] id="q-5e"
# 8 and 5 overlap, and so do 6 and 9 with 8; 0 and 9 are neighbours. In pixels they hardly differ: an 8 and a 9 share
# all but one stroke. Confusing them costs little reconstruction, while keeping them apart costs KL. In the grid that
# part shows forms which could be a 5, 6, 8 or 9. The 1, on the other hand, lies by itself on the left, and the grid
# has clean ones there.

# %% [markdown] id="question-5f"
# ### 5f Question (1 point)
#
# How are all points together spread, compared with the rings of the prior? Which term of the loss is responsible for
# it, and why does one need it to generate images?

# %% [markdown] tags=["answer"] id="q-5f"
# All points together lie around the origin and are about as wide as the rings say: most are within radius 2, hardly
# any beyond 3. They do not fill the disc evenly: there are gaps between the classes, and the middle of the right half
# is crowded. The KL term does that: it costs something to be far from the origin and to have a variance far from 1.
# To generate, one draws z from N(0, I) and decodes it. That gives something like the data only if z falls where the
# encoder has put images, since the decoder has not been trained anywhere else.

# %% [markdown] id="question-5g"
# ### 5g Question (1 point)
#
# What would the scatter plot and the grid look like if the KL term were left out of the loss? And if it were weighted
# 100 times as much? (You need not train it, but you may, in a cell of your own.)

# %% [markdown] tags=["answer"] id="q-5g"
# Without the KL term nothing holds the means near the origin, and nothing forbids small variances. The encoder would
# make them tiny, since noise only spoils the reconstruction, and would spread the means over a large area, with gaps
# between the classes. The reconstructions would become a little sharper; the grid from -2.5 to 2.5 would show only a
# small part, and in the gaps images that are no digits. With a weight of 100 nearly nothing that z could say would be
# worth its price: q(z | x) would become the prior for every image, all means would lie at the origin, and the decoder
# would draw the same mean of all images everywhere.

# %% [markdown] id="question-5h"
# ### 5h Question (1 point)
#
# Somebody wants a hundred different images of a 7. How can one make them with this model and the labelled test images?
# Name two weaknesses of your procedure.

# %% [markdown] tags=["answer"] id="q-5h"
# Encode the test images with the label 7, take their means and decode them, or draw a z from each q(z | x) and decode
# that; or look for the region of the sevens in the scatter plot and draw z from there. Weaknesses: one needs labelled
# images and the encoder, so the model alone cannot do it. The region of the sevens borders on those of 1 and 2, so
# some images turn into something else and nobody tells which. There are only as many different sevens as that region
# holds: slant and boldness have to share what little room the other digits leave. For the digits in the middle, 5 or
# 6, it would go wrong most of the time.

# %% [markdown] id="about-the-cvae"
# ## 6 The conditional VAE
#
# The labels have been lying in the loader all the time. A *conditional* VAE
# ([Sohn, Lee & Yan 2015](https://papers.nips.cc/paper/5775)) shows the label $y$ to both of its networks:
#
# $$q(z \mid x, y) \quad\text{and}\quad p(x \mid z, y), \qquad
# L(x, y) = -\mathbb{E}_{q(z \mid x, y)}\bigl[\log p(x \mid z, y)\bigr]
#   + \mathrm{KL}\bigl(q(z \mid x, y) \,\|\, \mathcal{N}(0, I)\bigr).$$
#
# The loss is computed as before. To generate a 7, one draws $z$ from the prior and decodes it together with the
# label 7.
#
# A network cannot do much with the number 7 itself: it is not "more" than a 3. So a label goes in as a *one-hot*
# vector, ten numbers of which one is 1 and the others are 0. Only two layers change:
#
# | encoder | output |
# | --- | --- |
# | image | $1 \times 28 \times 28$ |
# | the two convolutions as before, each with ReLU; flatten | 3136 |
# | **join with $y$**: first the 3136 features, then the label | 3136 + `num_classes` |
# | linear to 16, no activation | 16 |
# | two linear heads: `mean_z` and `logvar_z` | `latent_size` each |
#
# | decoder | output |
# | --- | --- |
# | latent variables **joined with $y$**: first $z$, then the label | `latent_size` + `num_classes` |
# | linear to 3136; ReLU; reshape to channels, rows, columns | $64 \times 7 \times 7$ |
# | the two transposed convolutions and the output activation as before | $1 \times 28 \times 28$ |
#
# ### 6a The model (3 points)
#
# Fill the gaps of `one_hot` and `ConditionalVAE`. `sample_latent` is the one of the VAE. With two latent variables and
# ten classes the model has 128,757 parameters.


# %% id="one-hot"
def one_hot(labels: Tensor, num_classes: int = 10) -> Tensor:
    """Labels as vectors of zeros with a single one.

    Args:
        labels: (batch,) classes from 0 to num_classes - 1, int64.

    Returns:
        y: (batch, num_classes) float32; y[i, labels[i]] is 1.
    """
    # START TODO (cvae 6a.1): return the one-hot vectors as floating-point numbers.
    # Hint: torch.nn.functional, here `F`, has a function for it, which returns integers.
    y = F.one_hot(labels, num_classes)
    # layers multiply with float32
    return y.float()
    # END TODO


# %% id="cvae"
class ConditionalVAE(nn.Module):
    """A convolutional variational autoencoder whose two networks see the label of an image.

    Args:
        latent_size: number of latent variables.
        num_classes: length of a one-hot label.
    """

    def __init__(self, latent_size: int = 2, num_classes: int = 10) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.num_classes = num_classes

        # START TODO (cvae 6a.2): create the encoder's layers.
        # Hint: the label comes in between, so what stands before it and what stands behind it are two parts.
        self.encoder_image = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        # this layer sees the label, too
        self.encoder_joined = nn.Linear(64 * 7 * 7 + num_classes, 16)
        self.encoder_mean = nn.Linear(16, latent_size)
        self.encoder_logvar = nn.Linear(16, latent_size)
        # END TODO

        # START TODO (cvae 6a.3): create the decoder's layers.
        self.decoder = nn.Sequential(
            # the latent variables and the label side by side
            nn.Linear(latent_size + num_classes, 64 * 7 * 7),
            nn.ReLU(),
            nn.Unflatten(1, (64, 7, 7)),
            nn.ConvTranspose2d(64, 32, kernel_size=3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, kernel_size=3, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
        )
        # END TODO

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The parameters of q(z | x, y).

        Args:
            x: (batch, 1, 28, 28) images.
            y: (batch, num_classes) one-hot labels, float32.

        Returns:
            mean_z: (batch, latent_size) means, logvar_z: (batch, latent_size) logarithms of the variances.
        """
        # START TODO (cvae 6a.4): join the features of the image with the label, and apply the layers behind.
        # Hint: each image has its own label, so the two belong side by side, not one below the other.
        joined = torch.cat([self.encoder_image(x), y], dim=1)
        hidden = self.encoder_joined(joined)
        # as before: no activation in the heads
        return self.encoder_mean(hidden), self.encoder_logvar(hidden)
        # END TODO

    def sample_latent(self, mean_z: Tensor, logvar_z: Tensor) -> Tensor:
        """Draw z ~ N(mean_z, diag(exp(logvar_z))), as the VAE does."""
        return VAE.sample_latent(self, mean_z, logvar_z)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """The images that latent variables and labels make.

        Args:
            z: (batch, latent_size) latent variables.
            y: (batch, num_classes) one-hot labels, float32.

        Returns:
            reconstruction: (batch, 1, 28, 28), each value the probability that a pixel is white.
        """
        # START TODO (cvae 6a.5): join the latent variables with the label, and decode them.
        joined = torch.cat([z, y], dim=1)
        # (batch, latent_size + num_classes)
        return self.decoder(joined)
        # END TODO

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode images with their labels, draw latent variables, decode them with the same labels.

        Args:
            x: (batch, 1, 28, 28) images.
            y: (batch, num_classes) one-hot labels, float32.

        Returns:
            reconstruction: (batch, 1, 28, 28), mean_z: (batch, latent_size), logvar_z: (batch, latent_size), in this
                order.
        """
        # START TODO (cvae 6a.6): put the three methods together, by calling them.
        mean_z, logvar_z = self.encode(x, y)
        z = self.sample_latent(mean_z, logvar_z)
        # the decoder is told the digit, so z need not say it
        return self.decode(z, y), mean_z, logvar_z
        # END TODO


# %% tags=["check"] id="check-cvae"
hot = one_hot(torch.tensor([3, 0, 9]))
assert_tensor(hot, (3, 10), dtype=torch.float32, what="the one-hot labels")
assert_close(hot.argmax(dim=1).float(), torch.tensor([3.0, 0.0, 9.0]), what="the place of the largest number")
assert_close(hot.sum(dim=1), torch.ones(3), what="the sum of each one-hot vector")

cvae = ConditionalVAE(latent_size=2, num_classes=10)
n_parameters = sum(parameter.numel() for parameter in cvae.parameters())
assert n_parameters == 128_757, f"The model should have 128,757 parameters, but it has {n_parameters:,}."
for result, shape in zip(cvae(torch.rand(3, 1, 28, 28), hot), [(3, 1, 28, 28), (3, 2), (3, 2)], strict=True):
    assert_tensor(result, shape, what="one of the three results of forward")

same_image, same_z = torch.rand(1, 1, 28, 28).expand(3, -1, -1, -1), torch.zeros(3, 2)
label_gradient = hot.clone().requires_grad_()
cvae.encode(same_image, label_gradient)[0].sum().backward()
assert_gradient_flows(label_gradient.grad, what="the label, from the encoder")
label_gradient = hot.clone().requires_grad_()
cvae.decode(same_z, label_gradient).sum().backward()
assert_gradient_flows(label_gradient.grad, what="the label, from the decoder")
print("The conditional model: nothing to complain about.")

# %% [markdown] id="about-the-cvae-training"
# ### 6b Training and testing (1 point)
#
# Write `train_cvae` and `test_cvae` after the pattern of `train` and `test`. The loader gives the labels as numbers.


# %% id="cvae-training"
def train_cvae(model: nn.Module, num_epochs: int = 10, lr: float = 1e-3) -> np.ndarray:
    """Train a conditional VAE on the images and labels of `train_loader`.

    Args:
        model: gives (reconstruction, mean_z, logvar_z) for images and one-hot labels; its parameters are changed.
        num_epochs, lr: as for `train`.

    Returns:
        history: (num_epochs, 3), as for `train`.
    """
    # START TODO (cvae 6b.1): bring the model into training mode, and make an Adam optimizer called `optimizer`.
    model.train()
    # as for the VAE
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    # END TODO

    history = []
    with tqdm(total=num_epochs * len(train_loader), unit="batch") as progress:
        for epoch in range(num_epochs):
            sums, n_images = np.zeros(3), 0
            for x, labels in train_loader:
                # START TODO (cvae 6b.2): take one step, with the labels as one-hot vectors; `losses` as in `train`.
                y = one_hot(labels)
                reconstruction, mean_z, logvar_z = model(x, y)
                # the loss looks at the image alone: the label is nothing that is reconstructed
                losses = loss_function(reconstruction, x, mean_z, logvar_z)
                optimizer.zero_grad()
                losses[0].backward()
                optimizer.step()
                # END TODO
                sums += len(x) * np.array([term.item() for term in losses])
                n_images += len(x)
                progress.update()
            history.append(sums / n_images)
            progress.set_description(f"epoch {epoch + 1}/{num_epochs}, loss {history[-1][0]:.1f}")
    return np.array(history)


def test_cvae(model: nn.Module) -> tuple[float, float, float]:
    """Measure the loss on the images and labels of `test_loader`.

    Args:
        model: gives (reconstruction, mean_z, logvar_z) for images and one-hot labels; its parameters are left as they
            are.

    Returns:
        the loss, the reconstruction term and the KL term of an image, averaged over all images.
    """
    # START TODO (cvae 6b.3): average `loss_function` over all test images, as `test` does.
    model.eval()
    sums, n_images = np.zeros(3), 0
    with torch.no_grad():
        for x, labels in test_loader:
            reconstruction, mean_z, logvar_z = model(x, one_hot(labels))
            losses = loss_function(reconstruction, x, mean_z, logvar_z)
            # an image counts the same in a small batch and in a large one
            sums += len(x) * np.array([term.item() for term in losses])
            n_images += len(x)
    total, reconstruction_term, kl_term = (sums / n_images).tolist()
    return total, reconstruction_term, kl_term
    # END TODO


# %% tags=["check"] id="check-cvae-training"
torch.manual_seed(0)
model_to_check = ConditionalVAE(latent_size=2)
untrained = test_cvae(model_to_check)
history_to_check = train_cvae(model_to_check, num_epochs=1)
assert history_to_check.shape == (1, 3), f"The history of one epoch has the shape {history_to_check.shape}, not (1, 3)."
trained = test_cvae(model_to_check)
assert_between(trained[0] / untrained[0], 0.0, 0.7, what="the loss after one epoch, as a share of the loss before it,")
print(f"One epoch has brought the loss of an image from {untrained[0]:.0f} down to {trained[0]:.0f}.")

# %% [markdown] id="run-6c"
# ### 6c Run it
#
# The same number of epochs, so that both models can be compared.

# %% tags=["training"] id="train-cvae"
torch.manual_seed(0)
cvae = ConditionalVAE(latent_size=2, num_classes=10)
cvae_history = train_cvae(cvae, num_epochs=EPOCHS, lr=LEARNING_RATE)
cvae_test = test_cvae(cvae)
print("Test images: loss {:.1f}, reconstruction term {:.1f}, KL term {:.2f}".format(*cvae_test))
print("VAE:         loss {:.1f}, reconstruction term {:.1f}, KL term {:.2f}".format(*vae_test))

# %% tags=["training"] id="show-cvae"
show_histories({"VAE": vae_history, "conditional VAE": cvae_history})
with torch.no_grad():
    conditional = cvae(originals, one_hot(labels[:14]))[0]
rows = torch.stack([originals, reconstructions, conditional])[:, :, 0].numpy()
show_rows(rows, ["test image", "VAE", "conditional VAE"])

# %% [markdown] id="about-the-cvae-grid"
# ### 6d What lies where, for each digit? (1 point)
#
# Now each digit has a latent space of its own. `plot_latent_cvae` draws it as `plot_latent` does: $z_1$ upwards.


# %% id="plot-latent-cvae"
def plot_latent_cvae(
    model: ConditionalVAE, label: int, grid_size: int = 9, limit: float = 2.0, axes: Axes | None = None
) -> np.ndarray:
    """Decode and draw a regular grid of the latent space of one class.

    Args:
        model: has decode(z, y), which makes images (batch, 1, 28, 28) of z (batch, 2) and one-hot labels y.
        label: the class.
        grid_size: number g of points along each axis, at least 2.
        limit: both latent variables run from -limit to limit in equal steps, both ends included.
        axes: where to draw; a new figure without it.

    Returns:
        grid: (g, g, 28, 28) array; grid[i, j] is the image in row i from the top and column j from the left.
    """
    # START TODO (cvae 6d): decode the g * g points, all with this label, as in `plot_latent`; call the array `grid`.
    # Hint: every point of the batch needs a one-hot label of its own.
    values = torch.linspace(-limit, limit, grid_size)
    z1, z0 = torch.meshgrid(values.flip(0), values, indexing="ij")
    z = torch.stack([z0.flatten(), z1.flatten()], dim=1)
    # the same label for each point
    y = one_hot(torch.full((len(z),), label))
    model.eval()
    with torch.no_grad():
        decoded = model.decode(z, y)
    grid = decoded.reshape(grid_size, grid_size, *decoded.shape[2:]).numpy()
    # END TODO
    show_grid(grid, limit, f"label {label}", axes)
    return grid


# %% tags=["check"] id="check-plot-latent-cvae"
grid_to_check = plot_latent_cvae(ConditionalVAE(latent_size=2), 4, grid_size=3)
assert grid_to_check.shape == (3, 3, 28, 28), f"The grid should be (3, 3, 28, 28), but it is {grid_to_check.shape}."
plt.close()
print("plot_latent_cvae: the shape is right; the picture of the trained model will tell more.")

# %% tags=["training"] id="show-latent-cvae"
figure, panels = plt.subplots(2, 5, figsize=(17, 7.4), layout="constrained")
for digit, panel in enumerate(panels.flat):
    plot_latent_cvae(cvae, digit, axes=panel)

# %% [markdown] id="question-6e"
# ### 6e Question (1 point)
#
# What do the two latent variables stand for now? Is it the same for all digits? Compare one place of the latent space
# across the ten pictures.

# %% [markdown] tags=["answer"] id="q-6e"
# They stand for the style: in these pictures strokes become bolder towards the upper right, and digits lean to the
# right towards the lower right. (With another seed the axes may be turned or mirrored.) It is the same for all ten
# digits: at one place there is the same style ten times. That need not be so, the model could have used other axes
# for every digit. But z and the label go through the same layers, and slant and boldness change the pixels of all
# digits in similar ways, so sharing them is what is learned most easily.

# %% [markdown] id="about-the-cvae-scatter"
# ### 6f Where do the images lie now? (1 point)


# %% id="scatterplot-latent-cvae"
def scatterplot_latent_cvae(model: ConditionalVAE) -> tuple[np.ndarray, np.ndarray]:
    """Encode the images of `test_loader` with their labels and draw their means.

    Args:
        model: has encode(x, y) for one-hot labels y, which returns (mean_z, logvar_z), each (batch, 2).

    Returns:
        means: (n, 2) array, mean_z of all n test images, in the loader's order.
        labels: (n,) array of int64, their classes.
    """
    # START TODO (cvae 6f): encode all batches, each image with its own label, as in `scatterplot_latent`.
    # Call the two arrays `all_means` and `all_labels`.
    means, labels = [], []
    model.eval()
    with torch.no_grad():
        for x, batch_labels in test_loader:
            means.append(model.encode(x, one_hot(batch_labels))[0])
            # as numbers again: they become colours
            labels.append(batch_labels)
    all_means, all_labels = torch.cat(means).numpy(), torch.cat(labels).numpy()
    # END TODO
    show_scatter(all_means, all_labels, "Where the conditional encoder puts the test images")
    return all_means, all_labels


# %% tags=["check"] id="check-scatterplot-latent-cvae"
means_to_check, labels_to_check = scatterplot_latent_cvae(ConditionalVAE(latent_size=2))
assert means_to_check.shape == (len(test_data), 2), f"The means have the shape {means_to_check.shape}."
assert labels_to_check.shape == (len(test_data),), f"The labels have the shape {labels_to_check.shape}."
plt.close()
print("scatterplot_latent_cvae: every test image is there.")

# %% tags=["training"] id="show-scatter-cvae"
means_of_images, labels_of_images = scatterplot_latent_cvae(cvae)

# %% [markdown] id="question-6g"
# ### 6g Question (1 point)
#
# Where are the classes now, compared with the scatter plot of 5d? Explain the difference with the loss: what has the
# encoder no reason to store any more, and what would it cost?

# %% [markdown] tags=["answer"] id="q-6g"
# In 5d each class had a place of its own. Now all classes lie on top of each other, and each alone is spread about
# like the prior. The decoder is told the digit by y, so the reconstruction gains nothing if z says it once more; but
# saying it would cost KL, because means that depend on the digit would lie further from the origin. So the encoder
# stores only what the label does not tell. z and y have become nearly independent.

# %% [markdown] id="about-the-style"
# One more picture. Each row starts with a test image. Its $z$ is found with its own label, then decoded with all ten.

# %% tags=["training"] id="show-styles"
styles = images[14:22]
with torch.no_grad():
    style_z = cvae.encode(styles, one_hot(labels[14:22]))[0]
    columns = [cvae.decode(style_z, one_hot(torch.full((8,), digit))) for digit in range(10)]
show_rows(torch.stack([styles, *columns], dim=1)[:, :, 0].numpy(), [f"style of a {label}" for label in labels[14:22]])

# %% [markdown] id="question-6h"
# ### 6h Question (1 point)
#
# Compare the losses of both models on the test images, which 6c printed. Which of the two terms has changed more, and
# where does the gain come from? Is it fair to conclude that the conditional VAE is the better model of images?

# %% [markdown] tags=["answer"] id="q-6h"
# VAE: 114.2 + 4.5 = 118.8; conditional VAE: 99.5 + 3.3 = 102.8. Both terms are smaller, the reconstruction by 15
# nats, the KL term by 1. The label takes away a large part of what has to be guessed (up to log 10 = 2.3 nats of
# information, which z had to pay for and did not manage to store well), and both numbers in z are free for the style.
# The comparison is not quite fair, though: the one loss bounds -log p(x), the other -log p(x | y). The conditional
# model has been told something about the image which the other had to find out. Even with log 10 = 2.3 nats added,
# for the label that a generator of unlabelled images would have to draw first, its 105.1 is the better bound, so here
# it is the better model of images as well.

# %% [markdown] id="question-6i"
# ### 6i Question (1 point)
#
# The hundred images of a 7 again: how does one make them now? Why does $z$ come from the prior and not from encoded
# images? What happens, and why, if the label that is decoded differs from the one with which $z$ was encoded?

# %% [markdown] tags=["answer"] id="q-6i"
# Draw z from N(0, I) a hundred times and decode each with the one-hot label 7. The prior is the right distribution
# here, since the encoded images of each class are spread like it; and it needs no images. If the decoder gets another
# label than the encoder, it draws the other digit in the same style: a bold slanted 2 becomes a bold slanted 7. z
# holds only what the label did not tell, that is the style, and the decoder takes the digit from y alone.

# %% [markdown] id="discussion"
# ## 7 Discussion
#
# ### 7a Question (1 point)
#
# When would you use a VAE, when a conditional VAE? Name one thing that each can do and the other cannot, and say what
# one could do if only some of the images have labels.

# %% [markdown] tags=["answer"] id="q-7a"
# A VAE needs no labels. I would use it where there are none, or to find out how data are grouped: its latent space
# orders the classes by itself, while that of the conditional VAE knows nothing of them. A conditional VAE can be
# asked for something, a digit, and can change the digit but keep the style; a VAE can do neither. On the other hand
# it can neither encode nor reconstruct an image whose label is unknown. If only some images have labels, one can
# train a classifier on those and use its probabilities as y for the others, or treat the missing label as a further
# latent variable and sum over it; or simply use an eleventh class "unknown".

# %% [markdown] id="question-7b"
# ### 7b Question (1 point)
#
# Both models draw soft, blurred digits. Name two reasons, and for each an experiment that would show whether it is the
# one that matters.

# %% [markdown] tags=["answer"] id="q-7b"
# Two latent variables: what does not fit into them is averaged. Train with `latent_size=16` and everything else
# equal; if the test images are reconstructed sharply then, this was the reason. The likelihood: the cross-entropy
# treats pixels as independent, given z, so where the model is uncertain about a stroke's place, a grey smear is the
# best answer. Train the same model with another loss, for example that of a GAN's discriminator, with two latent
# variables again; if the digits become sharp, though perhaps at the wrong place, it was the likelihood. Further
# reasons could be a small decoder (double the channels) or too little training (let it run for 100 epochs and look
# whether the loss still falls).
