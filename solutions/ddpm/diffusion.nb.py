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

# %% [markdown] id="title"
# # Denoising diffusion
#
# A diffusion model destroys pictures in many small steps and learns to take the steps back. In this notebook you build
# one from scratch: the way into noise, the network that sees the noise, the way back step by step, and at last the same
# in the latent space of a VAE, where everything becomes faster.
#
# **How to work.** Most of the code is in the files of `lib/ddpm/`: fill the gaps (ddpm 1) to (ddpm 21) there, each with
# a comment on what you do; (ddpm 16) to (ddpm 18) are a bonus. Two more gaps are in this notebook. Answer the questions
# in the cells that say so. All other cells are given and are put back when your notebook is graded; you may add cells
# of your own, which are not run then.
#
# The checks between the cells run in a moment. `python -m pytest` tests the files. The tests that decide look at more.
#
# **What to hand in.** This notebook with all cells run from top to bottom, and the same as `diffusion.pdf`. The script
# `collect_submission.py` puts everything together.
#
# **Conventions.** Steps count from $0$ to $T - 1$, as indices do in Python; papers count from $1$ to $T$. Pictures are
# tensors `(N, 1, 28, 28)` with values from $-1$ to $1$, steps are Long tensors `(N,)`.

# %% id="imports"
import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

# %% tags=["check"] id="import-checks"
from gapcheck import assert_close, assert_tensor

# %% id="import-library"
from lib.data.clothes import MadeClothes, load_clothes
from lib.ddpm.embedding import time_embedding
from lib.ddpm.latent import VAE, LatentNetwork, encode_all, latent_scale, sample_through_vae, train_vae
from lib.ddpm.network import UNet
from lib.ddpm.process import predict_x_0, q_sample
from lib.ddpm.sampling import ddim_steps, sample, sample_ddim
from lib.ddpm.schedule import Schedule, cosine_betas, linear_betas, make_schedule
from lib.ddpm.show import show_curves, show_pictures, show_rows
from lib.ddpm.training import train

T = 200  # steps

# %% [markdown] id="about-the-data"
# ## 1 The data
#
# The pictures are clothes of 28 x 28 pixels in ten classes, drawn by our own code. `load_clothes(download=True)`
# fetches the photographs of Fashion MNIST, ten times as many, and uses those.

# %% tags=["slow"] id="data"
torch.manual_seed(0)
train_data, _ = load_clothes()
# all in one tensor, in [-1, 1]
images = torch.stack([train_data[i][0] for i in range(len(train_data))]) * 2 - 1
batches = DataLoader(TensorDataset(images, torch.zeros(len(images))), batch_size=64, shuffle=True, drop_last=True)
EPOCHS = 8 if isinstance(train_data, MadeClothes) else 1
show_pictures(images[:40], "Data")
plt.show()

# %% [markdown] id="about-the-schedule"
# ## 2 Into the noise
#
# ### 2a Schedules
#
# Step $t$ keeps the share $\alpha_t = 1 - \beta_t$ of the variance and replaces the rest by noise
# ([Ho, Jain & Abbeel 2020](https://arxiv.org/abs/2006.11239), eq. 2):
#
# $$q(x_t \mid x_{t-1}) = \mathcal{N}\bigl(\sqrt{\alpha_t}\, x_{t-1},\ \beta_t I\bigr).$$
#
# With $\bar\alpha_t = \alpha_0 \alpha_1 \cdots \alpha_t$ one jumps there at once:
#
# $$x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\ \epsilon, \qquad \epsilon \sim \mathcal{N}(0, I).$$
#
# How fast the data disappear is best seen on the logarithm of the *signal-to-noise ratio*, the quotient of both
# variances for data of variance 1:
#
# $$\lambda_t = \log \frac{\bar\alpha_t}{1 - \bar\alpha_t}.$$


# %% id="log-snr"
def log_snr(schedule: Schedule) -> Tensor:
    """The logarithm of the signal-to-noise ratio at every step; (T,)."""
    # START TODO (ddpm 22): compute lambda_t for all steps.
    return schedule.alpha_bars.log() - (1 - schedule.alpha_bars).log()  # the quotient spans many powers of ten
    # END TODO


# %% tags=["check"] id="check-schedule"
halves = make_schedule(torch.tensor([0.5, 0.5]))
assert_close(halves.alpha_bars, torch.tensor([0.5, 0.25]), what="alpha_bar")
assert_close(log_snr(halves), torch.tensor([0.0, -1.0986123]), what="the logarithm of the signal-to-noise ratio")

# %% tags=["slow"] id="show-schedules"
schedules = {"linear": make_schedule(linear_betas(T)), "cosine": make_schedule(cosine_betas(T))}
show_curves({name: s.alpha_bars for name, s in schedules.items()}, "What is left of the data", "step $t$")
show_curves({name: log_snr(s) for name, s in schedules.items()}, "Log signal-to-noise ratio", "step $t$")
steps = torch.linspace(0, T - 1, 10).long()
noise = torch.randn(10, 1, 28, 28, generator=torch.Generator().manual_seed(1))
rows = {name: q_sample(images[[3] * 10], steps, noise, s) for name, s in schedules.items()}
show_rows(rows, "One picture at ten steps from 0 to T - 1")
plt.show()

# %% [markdown] id="question-1"
# **Question 1** (1.5 points). Compare both schedules on the three figures. Which one spends more steps on pictures that
# are noise already, and which step of the way back does that make hard? Why should $\bar\alpha_{T-1}$ be close to 0?

# %% [markdown] tags=["answer"] id="diffusion-q1"
# With the linear schedule alpha_bar falls steeply in the middle and lies near 0 in about the last third: those steps
# hardly change anything, while the steps in between destroy much at once, so each of them is harder to take back. The
# cosine schedule falls almost in a straight line in the middle and slowly at both ends; its log signal-to-noise ratio
# falls evenly, so that every step has its share. The way back starts from N(0, I). That is right only if x_{T-1} has
# this distribution, whatever x_0 was, hence alpha_bar_{T-1} close to 0: else the start would lack the trace of the data
# (its mean, say) that the network has seen in x_{T-1} all through the training.

# %% [markdown] id="about-the-network"
# ### 2b The network and its loss
#
# A network $\epsilon_\theta(x_t, t)$ looks at a noisy picture, hears the step, and predicts the noise. It minimises
#
# $$L = \mathbb{E}_{x_0, t, \epsilon} \bigl\lVert \epsilon - \epsilon_\theta(x_t, t) \bigr\rVert^2,$$
#
# where every picture of a batch has a step of its own. The step enters as sines and cosines of many frequencies, and
# from there each block of a small U-Net. The training takes about a minute on two cores. Pictures are drawn with a
# running average of the weights.

# %% tags=["check"] id="check-network"
assert_tensor(time_embedding(torch.tensor([0, 3]), 8), (2, 8), what="the embedding of two steps")
assert_tensor(UNet(1, 8)(torch.zeros(2, 1, 28, 28), torch.tensor([0, 5])), (2, 1, 28, 28), what="the predicted noise")

# %% tags=["slow"] id="show-embedding"
show_pictures(time_embedding(torch.arange(T), 64).T[None, None], "The embedding: a column for each step", columns=1)
plt.show()

# %% tags=["training"] id="train"
torch.manual_seed(1)
schedule = make_schedule(cosine_betas(T))
model, losses = train(UNet(channels=1, width=32), batches, schedule, epochs=EPOCHS)

# %% tags=["slow"] id="show-losses"
show_curves({"loss": losses}, "Mean squared error of the predicted noise", "step of the training", smooth=50)
plt.show()

# %% [markdown] id="about-guessing"
# ### 2c What the network sees
#
# From the predicted noise follows a prediction of the picture: solve the formula of $x_t$ for $x_0$. Do that at early
# and at late steps.


# %% id="guess"
@torch.no_grad()
def guess_x_0(model: nn.Module, x_0: Tensor, t: Tensor, noise: Tensor, schedule: Schedule) -> Tensor:
    """Make pictures noisy, and let the model guess what they were.

    Args:
        model: eps_theta, called as model(x_t, t).
        x_0: (N, ...) pictures.
        t: (N,) the step of each picture.
        noise: (N, ...) noise from N(0, 1).

    Returns:
        (N, ...) the guesses, clipped to [-1, 1].
    """
    # START TODO (ddpm 23): make x_t, predict its noise, and from that x_0. Hint: two functions of lib/ddpm/process.py.
    x_t = q_sample(x_0, t, noise, schedule)
    # the network knows neither x_0 nor the noise
    return predict_x_0(x_t, t, model(x_t, t), schedule).clamp(-1, 1)
    # END TODO


# %% tags=["check"] id="check-guess"
given = torch.rand(3, 1, 2, 2)
blind = guess_x_0(lambda x, t: torch.zeros_like(x), given, torch.tensor([0, 1, 0]), torch.zeros(3, 1, 2, 2), halves)
assert_close(blind, given, what="the guess of a model that expects no noise, where there is none")

# %% tags=["slow"] id="show-guesses"
source = torch.Generator().manual_seed(2)
shown, noise = images[10:20], torch.randn(10, 1, 28, 28, generator=source)
rows = {"data": shown}
for step in (20, 80, 140, 190):
    t = torch.full((10,), step)
    rows[f"$x_t$, t = {step}"] = q_sample(shown, t, noise, schedule)
    rows[f"guess, t = {step}"] = guess_x_0(model, shown, t, noise, schedule)
show_rows(rows, "Noisy pictures, and what the network takes them for")
plt.show()

# %% [markdown] id="question-2"
# **Question 2** (1.5 points). What do the guesses look like at early and at late steps, and why? Which picture is the
# best guess in the sense of the loss where $x_t$ tells nothing about $x_0$? Why, then, is one not content with
# a single guess from pure noise, and takes many small steps instead?

# %% [markdown] tags=["answer"] id="diffusion-q2"
# At early steps the guess is almost the picture: little noise, easily told from the cloth. At late steps it is blurred,
# and often another piece of clothing. The loss is a squared error, so the best guess is the mean of all pictures that
# may have led to this x_t, E[x_0 | x_t]; where x_t tells nothing, the mean of all data, a grey cloud. A mean of
# pictures is no picture. A small step back only goes a little towards the guess and adds noise again: that decides a
# little, the next guess is a mean over fewer pictures, and at the end only one is left.

# %% [markdown] id="about-sampling"
# ## 3 Out of the noise
#
# If $x_0$ were known, one step back would be a normal distribution (Ho et al., eqs. 6 and 7):
#
# $$q(x_{t-1} \mid x_t, x_0) = \mathcal{N}\bigl(\tilde\mu_t(x_t, x_0),\ \tilde\beta_t I\bigr), \qquad
# \tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0
# + \frac{\sqrt{\alpha_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t, \qquad
# \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t.$$
#
# Put the guess in the place of $x_0$, and draw.

# %% tags=["slow"] id="show-samples"
source = torch.Generator().manual_seed(4)
start = torch.randn(50, 1, 28, 28, generator=source)
*on_the_way, pictures = sample(model, start, schedule, generator=source, keep_every=25)
show_pictures(pictures, "Drawn in 200 steps")
show_rows({f"t = {199 - 25 * i}": x[:10] for i, x in enumerate(on_the_way)} | {"end": pictures[:10]}, "The way back")
plt.show()

# %% [markdown] id="question-3"
# **Question 3** (1 point). Describe the pictures and the way back: when is it decided which piece of clothing it will
# be, when its details? Which faults do the pictures have, and what would you change first to mend them?

# %% [markdown] tags=["answer"] id="diffusion-q3"
# The outline appears in the middle of the way (between t = 125 and 50), the kind of clothing is decided there; the last
# quarter fills in brightness, folds and edges. Many pictures are tops with sleeves or boots; some are a mixture of two
# kinds, or have ragged edges and an uneven cloth. The training is very short (8 epochs); longer training and a wider
# network come first, since the loss still falls. Attention, which compares far places of a picture, would help with
# outlines that do not fit together.

# %% [markdown] id="about-ddim"
# ### Fewer steps (bonus)
#
# [Song, Meng & Ermon 2021](https://arxiv.org/abs/2010.02502) found a way back without noise that has the same network
# and may leave out steps (DDIM). The same start then always leads to the same picture. The next cell needs the gaps
# (ddpm 16) to (ddpm 18); without them it says so.

# %% tags=["slow"] id="show-ddim"
try:
    rows = {f"{n} steps": sample_ddim(model, start[:10], ddim_steps(T, n), schedule) for n in (5, 10, 20, 50)}
    show_rows(rows | {"200 steps, DDPM": pictures[:10]}, "DDIM from one start, with more and more steps")
    plt.show()
except NotImplementedError:
    print("The bonus is not done.")

# %% [markdown] id="about-latents"
# ## 4 In the latent space of a VAE
#
# Most numbers of a picture say little. *Latent diffusion* ([Rombach et al. 2022](https://arxiv.org/abs/2112.10752))
# first trains a VAE that writes a picture with 16 numbers in place of 784. A diffusion model then learns how these
# numbers are distributed, and the decoder draws. The KL term of this VAE has little weight, so that the pictures stay
# sharp: its latents are *not* distributed as $\mathcal{N}(0, I)$. Before the diffusion they are multiplied by one
# factor that gives them variance 1.

# %% tags=["training"] id="train-latent"
torch.manual_seed(2)
vae = VAE(latent_size=16)
train_vae(vae, batches, epochs=EPOCHS)
latents = encode_all(vae, DataLoader(TensorDataset(images, torch.zeros(len(images))), batch_size=500))
scale = latent_scale(latents)
print(f"scale: {scale:.3f}")
latent_batches = DataLoader(TensorDataset(latents * scale, torch.zeros(len(latents))), batch_size=128, shuffle=True)
latent_model, latent_losses = train(LatentNetwork(16), latent_batches, schedule, epochs=5 * EPOCHS)

# %% tags=["slow"] id="show-latent"
source = torch.Generator().manual_seed(5)
start = torch.randn(50, 16, generator=source)
with torch.no_grad():
    show_pictures(vae.decode(latents[:20]), "Reconstructions by the VAE")
    show_pictures(vae.decode(start[:20]), r"The VAE alone: decoded $z \sim \mathcal{N}(0, I)$")
    show_pictures(
        sample_through_vae(vae, latent_model, start, schedule, scale, source), "Diffusion in the latent space"
    )
plt.show()

# %% [markdown] id="question-4"
# **Question 4** (1.5 points). Why does the VAE alone draw no clothes here, though it reconstructs them well? What does
# the diffusion model add? And what is the price: which faults of the pictures can no diffusion model in this latent
# space mend?

# %% [markdown] tags=["answer"] id="diffusion-q4"
# With little weight on the KL term nothing pushes the codes of all pictures together to N(0, I): they lie in clusters
# of another place and size, with gaps in between. A z drawn from N(0, I) mostly falls into a gap, where the decoder was
# never trained. The diffusion model learns the actual distribution of the codes and draws from it, so the decoder gets
# what it knows. What the decoder cannot draw stays lost: the pictures are as blurred as the reconstructions, fine
# patterns such as stripes are missing, whatever latents are drawn.

# %% [markdown] id="question-5"
# **Question 5** (1.5 points). Compare both diffusion models: numbers per step that are drawn, time for the training and
# for 50 pictures, and the pictures. When would you take which? Why is the factor `scale` needed, and what would happen
# without clipping being switched off for latents?

# %% [markdown] tags=["answer"] id="diffusion-q5"
# 16 numbers in place of 784 and a small fully connected network: training takes seconds (together with the VAE a third
# of the time), 50 pictures a tenth of a second in place of several. The latent pictures have clean outlines of all
# kinds but no texture; the pixel model shows texture and errs in the outlines. Latent diffusion where pictures are
# large or many are needed, pixels where fine detail counts. The schedule assumes data of variance 1: with latents much
# larger than that the start N(0, I) would be wrong and early steps would destroy nothing; with smaller ones the data
# would vanish in the first steps. Latents have no range [-1, 1]: clipping would cut off about a third of all their
# values and lead to latents that the decoder does not know.
